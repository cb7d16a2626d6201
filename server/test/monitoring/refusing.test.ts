/** Refused webhooks are an incident of everybody who waits for them: told once, ended when they are taken again for a while. */
import type { RefusalReason, WorkspaceId } from '@switchyard/contract';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { fixedClock, silentLog } from '#kernel';
import { type Monitoring, type RefusalWatchDeps, refusingRound, watchRefusals } from '#monitoring';
import { type Storage, StorageUnavailable } from '#storage';
import type { Shop } from '../inbox/world.ts';
import { type MonitoringWorld, openMonitoringWorld } from './world.ts';

let world: MonitoringWorld;
let shop: Shop;
beforeAll(async () => {
  world = await openMonitoringWorld();
  shop = await world.shop();
  await world.db.ownerQuery('UPDATE accounts SET is_active = true');
});
beforeEach(async () => {
  await world.db.ownerQuery('DELETE FROM refusals; DELETE FROM alarm_notices; DELETE FROM incidents');
  await world.db.ownerQuery('DELETE FROM alarm_targets; DELETE FROM upkeep_marks');
  world.hook.calls.length = 0;
});
afterAll(() => world.close());

const incidents = (monitoring: Monitoring, workspaceId: WorkspaceId = shop.workspaceId) =>
  world.db.storage.inWorkspace(workspaceId, (tx) => monitoring.alarms.incidents(tx, { limit: 10 }));

interface Row extends Record<string, unknown> {
  readonly reasons: readonly RefusalReason[];
  readonly isOver: boolean;
  readonly seconds: number;
}
const rows = () =>
  world.db.ownerQuery<Row>(
    `SELECT reasons, is_over AS "isOver", round(extract(epoch FROM last_at - began_at))::integer AS seconds FROM refusals`,
  );

/** A process that takes webhooks, its clock in our hand. */
function gateway(facts: Partial<RefusalWatchDeps> = {}) {
  const clock = fixedClock(new Date());
  const pressure: { refusal: readonly RefusalReason[] } = { refusal: [] };
  const watch = watchRefusals({
    ...{ storage: world.db.storage, pressure, clock, log: silentLog, begin: async () => {}, lookEveryMs: 5 },
    ...facts,
  });
  const written = (look: (row: Row | undefined) => boolean) =>
    world.eventually(async () => {
      const [row] = await rows();
      return look(row) && (row ?? true);
    });
  return { ...{ clock, pressure, watch, written } };
}

it('are told to each workspace that waits for them and to the operator, once, and again when they were taken for a while', async () => {
  const owed: [Date, Date][] = [];
  const monitoring = world.monitoring({ oweLooks: async (_tx, from, until) => owed.push([from, until]) });
  const round = () => monitoring.jobs[refusingRound]?.run();
  const made = await world.workspaces.create('Nobody writes to it');
  if (!made.ok) throw new Error(made.refusal.code);
  await monitoring.alarms.addTarget(shop.workspaceId, { kind: 'webhook', address: world.hook.url });
  const { clock, pressure, watch, written } = gateway();

  pressure.refusal = ['disk'];
  await written((row) => row !== undefined);
  for (let times = 0; times < 3; times += 1) await round();
  const open = { kind: 'refusing', timesSeen: 1, facts: { reasons: 'disk', until: null }, resolvedAt: null };
  expect(await incidents(monitoring)).toMatchObject([open]);
  expect(await incidents(monitoring, world.operatorId)).toMatchObject([open]);
  expect(await incidents(monitoring, made.value.id)).toEqual([]);

  pressure.refusal = [];
  clock.advanceMs(16_000);
  await written((row) => row?.isOver === true);
  await round();
  expect(await incidents(monitoring)).toMatchObject([{ facts: { until: expect.any(String) }, resolvedAt: null }]);
  await watch.stop();

  const alive = (interval: string) =>
    world.db.ownerQuery(
      `INSERT INTO upkeep_marks (name, at) VALUES ('gateway alive', now() - $1::interval)
       ON CONFLICT (name) DO UPDATE SET at = EXCLUDED.at`,
      [interval],
    );
  await world.db.ownerQuery(`UPDATE refusals SET last_at = now() - interval '3 minutes'`);
  await alive('4 minutes');
  await round();
  expect(await incidents(monitoring)).toMatchObject([{ resolvedAt: null }]);
  await alive('0 s');
  await round();
  for (const id of [shop.workspaceId, world.operatorId])
    expect(await incidents(monitoring, id)).toMatchObject([{ resolvedAt: expect.any(Date), isUnwatched: false }]);
  expect([await rows(), owed.length]).toEqual([[], 1]);
  while (await monitoring.alarms.sendDue());
  const told = world.hook.calls.map(({ body }) => JSON.parse(body) as { type: string; data: { summary: string } });
  expect(told.map(({ type }) => type)).toEqual(['alarm.opened', 'alarm.resolved']);
  expect(told[0]?.data.summary).toMatch(/^Webhooks .*the disk has hardly any room left\./);
});

/** A database that is away until it is told to be back. */
function awayStorage() {
  const away = { isAway: true, tries: 0 };
  const workerStatement: Storage['workerStatement'] = async (text, values, name) => {
    away.tries += 1;
    if (away.isAway) throw new StorageUnavailable('away');
    return world.db.storage.workerStatement(text, values, name);
  };
  return { away, storage: { workerStatement } };
}

it('are told after the fact, with their span, where nothing could be written meanwhile', async () => {
  const { away, storage } = awayStorage();
  const begun: number[] = [];
  const { clock, watch, written } = gateway({ storage, begin: async () => void begun.push(away.tries) });
  for (let seconds = 0; seconds < 300; seconds += 10) {
    watch.note(new StorageUnavailable('away'));
    clock.advanceMs(10_000);
  }
  await world.eventually(async () => away.tries >= 2);
  clock.advanceMs(10_000);
  away.isAway = false;
  expect(await written((row) => row?.isOver === true)).toMatchObject({ reasons: ['database'], seconds: 290 });
  await watch.stop();
  expect(begun).toHaveLength(1);
  const monitoring = world.monitoring();
  await monitoring.jobs[refusingRound]?.run();
  expect(await incidents(monitoring)).toMatchObject([{ kind: 'refusing', facts: { reasons: 'database' } }]);
});

it('are nobody’s alarm where a database restarts, and a full disk is one at once', async () => {
  const { clock, watch, written } = gateway();
  watch.note(new StorageUnavailable('restarting'));
  clock.advanceMs(10_000);
  watch.note(new StorageUnavailable('restarting'));
  watch.note(new Error('too many bodies at once'));
  clock.advanceMs(60_000);
  const diskFull = Object.assign(new Error('could not extend file'), { code: '53100' });
  watch.note(new StorageUnavailable('the database could not be asked', { cause: diskFull }));
  expect(await written((row) => row !== undefined)).toMatchObject({ reasons: ['disk'], seconds: 0, isOver: false });
  await watch.stop();
});
