/** Alarms: once an incident, by mail and by signed webhook, until it has arrived. */
import { createHmac } from 'node:crypto';
import type { AlarmTargetId, WorkspaceId } from '@switchyard/contract';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { hourOf } from '#inbox';
import { fixedClock } from '#kernel';
import { balanceNow, type Monitoring, watchDeadLetters, watchSilence } from '#monitoring';
import type { Storage } from '#storage';
import { body, delivery, type Shop, textBody, value } from '../inbox/world.ts';
import { type Called, type MonitoringWorld, openMonitoringWorld } from './world.ts';

let world: MonitoringWorld;
let shop: Shop;
beforeAll(async () => {
  world = await openMonitoringWorld();
});
beforeEach(async () => {
  shop = await world.shop();
  world.hook.answer(200);
  world.hook.calls.length = 0;
  world.post.mails.length = 0;
});
afterAll(() => world.close());

const hourMs = 3_600_000;
const finding = (subject: string, count = 1) => ({ subject, accountId: shop.accountId, facts: { count, newest: '' } });
const incidents = (monitoring: Monitoring, workspaceId: WorkspaceId = shop.workspaceId) =>
  world.db.storage.inWorkspace(workspaceId, (tx) => monitoring.alarms.incidents(tx, { limit: 10 }));

async function tellHook(monitoring: Monitoring): Promise<{ id: AlarmTargetId; secret: string }> {
  const made = await monitoring.alarms.addTarget(shop.workspaceId, { kind: 'webhook', address: world.hook.url });
  if (!made.ok || made.value.secret === null) throw new Error('a webhook has a secret');
  return { id: made.value.id, secret: made.value.secret };
}

async function sendAll(monitoring: Monitoring): Promise<void> {
  while (await monitoring.alarms.sendDue());
}

/** As a receiver's library checks it. */
function isSignedBy(secret: string, { headers, body: text }: Called): boolean {
  const key = Buffer.from(secret.slice('whsec_'.length), 'base64');
  const signed = `${headers['webhook-id']}.${headers['webhook-timestamp']}.${text}`;
  return headers['webhook-signature'] === `v1,${createHmac('sha256', key).update(signed).digest('base64')}`;
}

describe('an incident', () => {
  it('is told once when it opens and once when it is resolved, however often it is seen', async () => {
    const monitoring = world.monitoring();
    const { secret } = await tellHook(monitoring);
    for (const findings of [[finding('a')], [finding('a', 2)], [finding('a', 3)], []]) {
      await monitoring.alarms.report(shop.workspaceId, 'dead-letters', findings);
      await sendAll(monitoring);
    }
    const types = world.hook.calls.map(({ body: text }) => (JSON.parse(text) as { type: string }).type);
    expect(types).toEqual(['alarm.opened', 'alarm.resolved']);
    expect(world.hook.calls.every((call) => isSignedBy(secret, call))).toBe(true);
    expect(JSON.parse(world.hook.calls[0]?.body ?? '')).toMatchObject({
      data: { kind: 'dead-letters', summary: expect.stringMatching(/part\(s\) delivered to .+ were set aside/) },
    });
    expect(await incidents(monitoring)).toMatchObject([
      { timesSeen: 3, facts: { count: 3 }, resolvedAt: expect.any(Date) },
    ]);
  });

  it('is opened once when two look at the same moment', async () => {
    const monitoring = world.monitoring();
    await tellHook(monitoring);
    await Promise.all([1, 2, 3].map(() => monitoring.alarms.report(shop.workspaceId, 'silence', [finding('a')])));
    await Promise.all([sendAll(monitoring), sendAll(world.monitoring())]);
    expect(await incidents(monitoring)).toHaveLength(1);
    expect(world.hook.calls).toHaveLength(1);
  });

  it('opens anew after it was resolved, and is nobody else’s', async () => {
    const monitoring = world.monitoring();
    for (const findings of [[finding('a')], [], [finding('a')]])
      await monitoring.alarms.report(shop.workspaceId, 'canary', findings);
    expect((await incidents(monitoring)).map(({ resolvedAt }) => resolvedAt === null)).toEqual([true, false]);
    expect(await incidents(monitoring, (await world.shop()).workspaceId)).toEqual([]);
  });
});

describe('a webhook', () => {
  it.each([500, 404, 302])(
    'that answers %i is tried again later with the same id, and is then told',
    async (status) => {
      const monitoring = world.monitoring();
      await tellHook(monitoring);
      world.hook.answer(status);
      await monitoring.alarms.report(shop.workspaceId, 'canary', [finding('a')]);
      await sendAll(monitoring);
      await sendAll(monitoring);
      expect(world.hook.calls).toHaveLength(1);
      world.hook.answer(200);
      await world.db.ownerQuery(`UPDATE alarm_notices SET due_at = now() WHERE state = 'queued'`);
      await sendAll(monitoring);
      expect(new Set(world.hook.calls.map(({ headers }) => headers['webhook-id'])).size).toBe(1);
      expect(world.hook.calls).toHaveLength(2);
      const [target] = await world.db.storage.inWorkspace(shop.workspaceId, monitoring.alarms.targets);
      expect(target?.lastNotice).toMatchObject({ state: 'sent', attempts: 2, error: null });
    },
  );

  it('that is away is given up after its tries, and is shown so', async () => {
    const monitoring = world.monitoring();
    const gone = 'http://127.0.0.1:1/hook?key=hidden';
    const withPassword = { kind: 'webhook', address: 'http://user:hidden@127.0.0.1:1/hook' } as const;
    expect(await monitoring.alarms.addTarget(shop.workspaceId, withPassword)).toMatchObject({ ok: false });
    await monitoring.alarms.addTarget(shop.workspaceId, { kind: 'webhook', address: gone });
    await monitoring.alarms.report(shop.workspaceId, 'canary', [finding('a')]);
    for (let tries = 0; tries < 8; tries += 1) {
      await sendAll(monitoring);
      await world.db.ownerQuery(`UPDATE alarm_notices SET due_at = now() WHERE state = 'queued'`);
    }
    const [target] = await world.db.storage.inWorkspace(shop.workspaceId, monitoring.alarms.targets);
    expect(target?.lastNotice).toMatchObject({ state: 'failed', attempts: 7 });
    expect(target?.lastNotice?.error).not.toContain('hidden');
  });

  it('is refused where the guard says so, at its making and before each call', async () => {
    const callOut = { check: async () => 'this address is not allowed', post: async () => 200 };
    const refused = await world
      .monitoring({ callOut })
      .alarms.addTarget(shop.workspaceId, { kind: 'webhook', address: world.hook.url });
    expect(refused).toMatchObject({ ok: false, refusal: { code: 'address-not-allowed' } });
    const { id } = await tellHook(world.monitoring());
    const tried = await world.monitoring({ callOut }).alarms.test(shop.workspaceId, id);
    expect(tried).toMatchObject({ isDelivered: false, error: 'this address is not allowed' });
    expect(world.hook.calls).toEqual([]);
  });

  it('can be tried, is told what came of it, and no more once it is removed', async () => {
    const monitoring = world.monitoring();
    const { id } = await tellHook(monitoring);
    expect(await monitoring.alarms.test(shop.workspaceId, id)).toMatchObject({ isDelivered: true, error: null });
    world.hook.answer(503);
    expect(await monitoring.alarms.test(shop.workspaceId, id)).toMatchObject({
      ...{ isDelivered: false, error: 'it answered 503' },
    });
    expect(await monitoring.alarms.test((await world.shop()).workspaceId, id)).toBeNull();
    await monitoring.alarms.report(shop.workspaceId, 'canary', [finding('a')]);
    await world.db.storage.inWorkspace(shop.workspaceId, (tx) => monitoring.alarms.removeTarget(tx, id));
    await sendAll(monitoring);
    expect(world.hook.calls.map(({ body: text }) => (JSON.parse(text) as { type: string }).type)).toEqual([
      ...['alarm.test', 'alarm.test'],
    ]);
    expect(await monitoring.alarms.test(shop.workspaceId, id)).toBeNull();
  });
});

describe('a mail', () => {
  it('says what is wrong, and a name in it begins no header', async () => {
    const monitoring = world.monitoring();
    await world.db.ownerQuery('UPDATE accounts SET name = $2 WHERE id = $1', [
      shop.accountId,
      'Norte\r\nBcc: thief@example.com',
    ]);
    await monitoring.alarms.addTarget(shop.workspaceId, { kind: 'email', address: 'owner@example.com' });
    await monitoring.alarms.report(shop.workspaceId, 'dead-letters', [finding('a', 3)]);
    await sendAll(monitoring);
    expect(world.post.mails).toHaveLength(1);
    const [headers = '', text = ''] = (world.post.mails[0] ?? '').split('\n\n');
    expect(headers).toMatch(/^To: .*owner@example\.com/m);
    expect(headers).toMatch(/^Subject: \[Shop \d+\] Alarm: 3 part\(s\)/m);
    expect(headers).not.toMatch(/^Bcc:/m);
    expect(text).toContain('3 part(s) delivered to Norte');
  });

  it('is refused where there is no server of mail', async () => {
    const made = await world
      .monitoring({ isMailOff: true })
      .alarms.addTarget(shop.workspaceId, { kind: 'email', address: 'owner@example.com' });
    expect(made).toMatchObject({ ok: false, refusal: { code: 'mail-not-set' } });
  });
});

describe('what is watched', () => {
  const watching = (monitoring: Monitoring, clock = fixedClock(new Date())) => ({
    ...monitoring,
    ...{ storage: world.db.storage, clock },
  });

  it('raises an alarm for a gap in the books, and ends it when the gap is mended', async () => {
    const later = fixedClock(new Date(Date.now() + hourMs));
    const monitoring = world.monitoring({ clock: later });
    const sent = delivery(shop, textBody(shop, {}));
    await world.receiver().receive(sent);
    await balanceNow(watching(monitoring, later), shop.workspaceId);
    expect(await incidents(monitoring)).toMatchObject([
      { kind: 'balance', facts: { gaps: 1, stages: 'unpack 1', deliveries: `dlv_${sent.id.replaceAll('-', '')}` } },
    ]);
    const worker = world.worker();
    await world.settled();
    await worker.stop(5_000);
    await world.db.ownerQuery(`UPDATE outbox SET state = 'sent' WHERE workspace_id = $1`, [shop.workspaceId]);
    await balanceNow(watching(monitoring, later), shop.workspaceId);
    expect(await incidents(monitoring)).toMatchObject([{ resolvedAt: expect.any(Date), isUnwatched: false }]);
  });

  it('raises one for another account’s ids, apart from what could not be read', async () => {
    const monitoring = world.monitoring();
    const worker = world.worker();
    const foreign = value({ phoneNumberId: '999' }, { messages: [{ from: '34600000001', id: 'x', type: 'text' }] });
    await world.receiver().receive(delivery(shop, body(shop, foreign)));
    await world.receiver().receive(delivery(shop, body(shop, value(shop, { messages: [null, null] }))));
    await world.settled();
    await worker.stop(5_000);
    await watchDeadLetters(watching(monitoring), shop.workspaceId);
    const found = await incidents(monitoring);
    expect(found.map(({ kind, facts }) => [kind, facts.count]).sort()).toEqual([
      ['dead-letters', 2],
      ['foreign-ids', 1],
    ]);
  });

  it('warns of a connected number that is too quiet for its rhythm, and is content once it is heard', async () => {
    const now = new Date();
    const monitoring = world.monitoring({ clock: fixedClock(now) });
    const watch = () => watchSilence(watching(monitoring, fixedClock(now)), shop.workspaceId);
    // Three weeks of 20 an hour, up to three hours ago.
    await world.db.ownerQuery(
      `INSERT INTO ledger_hours SELECT $1, $2, h, 20, 20, 20, 0, 20, 20, 20, 0, 0, 0, 20, now()
       FROM generate_series($3::timestamptz - interval '21 days', $3::timestamptz - interval '3 hours', interval '1 hour') AS h`,
      [shop.workspaceId, shop.accountId, hourOf(now)],
    );
    await world.db.ownerQuery(`UPDATE accounts SET connection_status = 'connected', is_active = true WHERE id = $1`, [
      shop.accountId,
    ]);
    const heardAt = async (at: Date) => {
      await world.db.ownerQuery(
        `INSERT INTO events (workspace_id, id, delivery_id, account_id, ordinal, kind, type, key, payload, received_at, position,
           after_position, state)
         VALUES ($1, gen_random_uuid(), 'ffffffff-ffff-7fff-bfff-ffffffffffff', $2, 0, 'message', 'text', 'k', '{}', $3, 1, 0, 'handled')`,
        [shop.workspaceId, shop.accountId, at],
      );
    };
    await heardAt(new Date(now.getTime() - 3 * hourMs));
    await watch();
    expect(await incidents(monitoring)).toMatchObject([
      { kind: 'silence', accountId: shop.accountId, facts: { quietMs: 3 * hourMs } },
    ]);
    await heardAt(now);
    await watch();
    expect(await incidents(monitoring)).toMatchObject([{ resolvedAt: expect.any(Date), isUnwatched: false }]);
    await world.db.ownerQuery(`DELETE FROM events WHERE workspace_id = $1 AND received_at = $2`, [
      shop.workspaceId,
      now,
    ]);
    await world.db.ownerQuery(`UPDATE accounts SET is_active = false WHERE id = $1`, [shop.accountId]);
    await watch();
    expect((await incidents(monitoring)).every(({ resolvedAt }) => resolvedAt !== null)).toBe(true);
  });
});

/** Storage whose first looks for gaps are ended by the database. */
function breaking(storage: Storage, breaks: { left: number; looks: number }): Storage {
  const inWorkspace: Storage['inWorkspace'] = (workspaceId, work, planning) =>
    storage.inWorkspace(
      workspaceId,
      (tx) =>
        work({
          workspaceId,
          afterCommit: (ring) => tx.afterCommit(ring),
          query: async (text, values, name) => {
            if (name === 'ledger-find-gaps') breaks.looks += 1;
            if (name === 'ledger-find-gaps' && breaks.left-- > 0) throw new Error('statement timeout');
            return tx.query(text, values, name);
          },
        }),
      planning,
    );
  return { ...storage, inWorkspace, workerStatement: storage.workerStatement.bind(storage) };
}

describe('the rounds of the background', () => {
  const names = ['ledger-roll', 'ledger-round', 'ledger-balance', 'canary-round'] as const;
  // In the morning, when the books are balanced too.
  const morning = fixedClock(new Date(`${new Date().toISOString().slice(0, 10)}T06:00:00Z`));
  const runAll = async (monitoring: Monitoring) => {
    for (const name of names) await monitoring.jobs[name]?.run();
  };

  it('open no workspace in which there is nothing to see, however many there are', async () => {
    const monitoring = world.monitoring({ clock: morning });
    await runAll(monitoring);
    const statements = async () => {
      const before = world.db.storage.statements.app;
      await runAll(monitoring);
      return world.db.storage.statements.app - before;
    };
    const few = await statements();
    for (let count = 0; count < 5; count += 1) await world.shop();
    expect(await statements()).toBe(few);
  });

  it('end an alarm whose cause is gone, in a workspace that is quiet otherwise', async () => {
    const monitoring = world.monitoring();
    for (const kind of ['canary', 'silence', 'dead-letters', 'foreign-ids'] as const)
      await monitoring.alarms.report(shop.workspaceId, kind, [finding('a')]);
    await runAll(monitoring);
    const ended = await incidents(monitoring);
    expect(ended.filter(({ resolvedAt }) => resolvedAt !== null)).toHaveLength(4);
  });

  it('balance the books again where the first look of the night broke, say so meanwhile, and only once they are done leave it', async () => {
    const breaks = { left: 1, looks: 0 };
    const tomorrow = fixedClock(new Date(morning.now().getTime() + 24 * hourMs));
    const monitoring = world.monitoring({ clock: tomorrow, storage: breaking(world.db.storage, breaks) });
    // Of the others of this file nobody is interesting.
    await world.db.ownerQuery(
      `INSERT INTO ledger_balances SELECT workspace_id, $1 FROM workspaces
       ON CONFLICT (workspace_id) DO UPDATE SET balanced_at = EXCLUDED.balanced_at`,
      [tomorrow.now()],
    );
    const own = await world.shop();
    await world.receiver().receive(delivery(own, textBody(own, {})));
    const nightly = async () => {
      await monitoring.jobs['ledger-balance']?.run();
      return incidents(monitoring, own.workspaceId);
    };
    expect(await nightly()).toMatchObject([
      { kind: 'balance-failed', facts: { error: 'statement timeout' }, resolvedAt: null },
    ]);
    expect((await nightly()).filter(({ kind }) => kind === 'balance-failed')).toMatchObject([
      { resolvedAt: expect.any(Date) },
    ]);
    const { looks } = breaks;
    await nightly();
    expect(breaks.looks).toBe(looks);
  });

  it('count what came in, and see what was set aside or lies unpacked', async () => {
    const later = fixedClock(new Date(Date.now() + hourMs / 2));
    const monitoring = world.monitoring({ clock: later });
    const foreign = value({ phoneNumberId: '999' }, { messages: [{ from: '34600000001', id: 'x', type: 'text' }] });
    const worker = world.worker();
    await world.receiver().receive(delivery(shop, body(shop, foreign)));
    await world.settled();
    await worker.stop(5_000);
    await runAll(monitoring);
    expect(await incidents(monitoring)).toMatchObject([{ kind: 'foreign-ids', resolvedAt: null }]);
    const span = { from: new Date(Date.now() - 2 * hourMs), to: new Date(Date.now() + hourMs) };
    const [counted] = await monitoring.ledger.counted({ workspaceId: shop.workspaceId, span });
    expect(counted?.counts).toMatchObject({ received: 1, dead: 1 });
    const other = await world.shop();
    await world.receiver().receive(delivery(other, textBody(other, {})));
    expect(await monitoring.ledger.active(later.now())).toContain(other.workspaceId);
  });
});
