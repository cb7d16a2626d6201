/** What is owed is asked for until it has been had: refused, forgotten by the queue, or widened meanwhile. */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type AccountId, toPublicId } from '@switchyard/contract';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { createAccounts } from '#accounts';
import { anywhere, closeProviderConnections, defaultSendTimeouts } from '#channels';
import { findOwedLook, oweLook, type Receiver, reconcileLimits, type Span } from '#inbox';
import { fixedClock, silentLog } from '#kernel';
import type { Engines, WorkspaceTx } from '#storage';
import { askForOwed, type LookDeps, lookHandlers } from '../../src/compose/upkeep/looks.ts';
import { oweAbsence } from '../../src/compose/upkeep/returned.ts';
import { channels, type InboxWorld, openInboxWorld, type Shop } from '../inbox/world.ts';

const hourMs = 3_600_000;
const now = new Date();
const before = (hours: number) => new Date(now.getTime() - hours * hourMs);
const gap: Span = { from: before(8), until: before(0.01) };

let world: InboxWorld;
let receiver: Receiver;
/** Twilio, as far as its list goes: empty, or away. */
let provider: Server;
let baseUrl: string;
let isAway = false;
/** Away for what is asked from then on. */
let awayFrom: Date | null = null;
/** Of which it has so much that a page of its list tells of a quarter of an hour only. */
let busy: Span | null = null;
const asked: { from: string; until: string }[] = [];
let shop: Shop;
let serial = 0;

beforeAll(async () => {
  world = await openInboxWorld();
  receiver = world.receiver();
  provider = createServer((request, response) => {
    const query = new URL(request.url ?? '', 'http://provider').searchParams;
    const span = { from: query.get('DateSent>') ?? '', until: query.get('DateSent<') ?? '' };
    const isRefused = isAway || (awayFrom !== null && span.from >= awayFrom.toISOString());
    const page = Number(query.get('Page') ?? '1');
    if (!isRefused && query.has('To') && page === 1) asked.push(span);
    query.set('Page', String(page + 1));
    const next = `${request.url?.split('?')[0]}?${query.toString()}`;
    response.writeHead(isRefused ? 503 : 200, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ messages: [], next_page_uri: page < pagesOf(span) ? next : null }));
  });
  await new Promise<void>((resolve) => provider.listen(0, '127.0.0.1', resolve));
  baseUrl = `http://127.0.0.1:${(provider.address() as AddressInfo).port}`;
});
beforeEach(async () => {
  await world.db.ownerQuery('UPDATE accounts SET is_active = false');
  await world.db.ownerQuery('DELETE FROM owed_looks');
  asked.length = 0;
  isAway = false;
  awayFrom = null;
  busy = null;
  serial += 1;
  const plain = await world.shop();
  const accountSid = `AC${String(serial).padStart(32, '0')}`;
  const settings = { accountSid, sender: `whatsapp:+1415523${1000 + serial}` };
  const account = { provider: 'twilio', settings, secrets: { authToken: 'tok' }, isActive: true } as const;
  shop = { ...plain, accountId: await world.connect(plain.workspaceId, account) };
});
afterAll(async () => {
  await receiver.close();
  await world.close();
  await closeProviderConnections();
  provider.closeAllConnections();
  await new Promise((resolve) => provider.close(resolve));
});

function pagesOf(span: { readonly from: string; readonly until: string }): number {
  if (!busy) return 1;
  const overlapMs = Math.min(Date.parse(span.until), +busy.until) - Math.max(Date.parse(span.from), +busy.from);
  return Math.max(1, Math.ceil(overlapMs / (hourMs / 4)));
}

interface Job {
  readonly name: string;
  readonly id: string;
  readonly payload: unknown;
}

/** A queue in the hand: what it holds is done, or lost, when the test says so. */
function openQueue(limits: LookDeps['limits'] = {}) {
  const jobs: Job[] = [];
  const enqueue = async (_queue: string, job: Job) => {
    if (!jobs.some(({ name, id }) => name === job.name && id === job.id)) jobs.push(job);
  };
  const engines = { jobs: { enqueue } as unknown as Engines['jobs'] };
  const deps: LookDeps = {
    ...{ storage: world.db.storage, engines, accounts: world.accounts, channels, receiver, log: silentLog },
    networkOf: () => ({ baseUrl, reach: anywhere, timeouts: defaultSendTimeouts }),
    clock: fixedClock(now),
    limits,
  };
  const handlers = lookHandlers(deps);
  const signal = new AbortController().signal;
  return {
    ...{ jobs, engines, deps },
    async work() {
      for (let job = jobs.shift(); job; job = jobs.shift()) await handlers[job.name]?.(job.payload, signal);
    },
    async workOne() {
      const job = jobs.shift();
      if (job) await handlers[job.name]?.(job.payload, signal);
    },
    round: () => handlers['owed-looks']?.(null, signal),
  };
}

const owe = (span: Span, accountId: AccountId = shop.accountId) =>
  world.db.storage.inWorkspace(shop.workspaceId, (tx) => oweLook(tx, accountId, span));
const owed = (accountId: AccountId = shop.accountId) =>
  world.db.storage.inWorkspace(shop.workspaceId, (tx) => findOwedLook(tx, accountId));
const makeDue = () => world.db.ownerQuery('UPDATE owed_looks SET due_at = now()');
const told = ({ from, until }: Span) => ({ from: from.toISOString(), until: until.toISOString() });

test('a provider that is away at the first try is asked for the whole gap at the second', async () => {
  const queue = openQueue();
  await owe(gap);
  isAway = true;
  await queue.round();
  await queue.work();
  expect(await owed()).toMatchObject({ ...gap, tries: 1, detail: expect.stringContaining('503') });
  isAway = false;
  await queue.round();
  await queue.work();
  expect(asked).toEqual([]); // Not before its pause is over.
  await makeDue();
  await queue.round();
  await queue.work();
  expect(asked).toEqual([told(gap)]);
  expect(await owed()).toBeNull();
});

test('pauses double up to an hour', async () => {
  const queue = openQueue();
  isAway = true;
  await owe(gap);
  const pauses: number[] = [];
  for (let tries = 0; tries < 8; tries += 1) {
    await queue.round();
    await queue.work();
    const [row] = await world.db.ownerQuery<{ minutes: number }>(
      'SELECT round(extract(epoch FROM due_at - now()) / 60)::integer AS minutes FROM owed_looks',
    );
    pauses.push(row!.minutes);
    await makeDue();
  }
  expect(pauses).toEqual([1, 2, 4, 8, 16, 32, 60, 60]);
});

test('a queue that forgets its jobs is given them again by the next round', async () => {
  const queue = openQueue();
  await owe(gap);
  await queue.round();
  expect(queue.jobs.splice(0)).toHaveLength(1);
  await queue.round();
  await queue.work();
  expect(asked).toEqual([told(gap)]);
});

test('what was widened while its job waited is asked for whole', async () => {
  const queue = openQueue();
  await owe(gap);
  await queue.round();
  await owe({ from: before(20), until: before(19) });
  await queue.work();
  expect(asked).toEqual([told({ ...gap, from: before(20) })]);
  expect(await owed()).toBeNull();
});

test('a long span is asked for by days, the oldest first, and what was had is not asked for again', async () => {
  const queue = openQueue();
  // Each part begins a minute before the end of the one before it.
  const starts = [60, 36 + 1 / 60, 12 + 2 / 60].map(before);
  await owe({ from: starts[0]!, until: now });
  awayFrom = starts[1]!;
  await queue.round();
  await queue.work();
  expect(await owed()).toMatchObject({ from: starts[1], until: now, tries: 1 });
  awayFrom = null;
  await makeDue();
  await queue.round();
  await queue.work();
  expect(asked.map(({ from }) => from)).toEqual(starts.map((start) => start.toISOString()));
  expect(await owed()).toBeNull();
});

const looksMade = async () => {
  const [row] = await world.db.ownerQuery<{ count: number }>(
    'SELECT count(*)::integer AS count FROM reconciliations WHERE account_id = $1',
    [shop.accountId],
  );
  return row!.count;
};

test('what is too much for one look is asked for in shorter parts, and the days behind it in long ones again', async () => {
  const queue = openQueue({ maxPages: 8 });
  busy = { from: before(46), until: before(43) };
  await owe({ from: before(48), until: now });
  await queue.round();
  let jobs = 0;
  for (let made = 0; queue.jobs.length > 0; jobs += 1) {
    // In between the other upkeep has its turn, and no round begins anew with what somebody goes on with.
    expect(queue.jobs).toHaveLength(1);
    await queue.workOne();
    const before = made;
    made = await looksMade();
    expect(made - before).toBeLessThanOrEqual(reconcileLimits.looksPerJob);
    await queue.round();
  }
  expect(jobs).toBeGreaterThan(1);
  expect(await owed()).toBeNull();
  const through = await world.db.ownerQuery<{ from: Date; until: Date; hours: number }>(
    `SELECT wanted_from AS from, wanted_until AS until, extract(epoch FROM wanted_until - wanted_from)::float / 3600 AS hours
     FROM reconciliations WHERE account_id = $1 AND state = 'complete' ORDER BY wanted_from`,
    [shop.accountId],
  );
  expect([through[0]?.from, through.at(-1)?.until]).toEqual([before(48), now]);
  for (const [index, { from }] of through.slice(1).entries()) expect(+from).toBeLessThan(+through[index]!.until);
  // Of the 43 quiet hours behind it.
  expect(through.at(-2)?.hours).toBeGreaterThan(4);
});

test('what is too much even for the shortest part is put off like any refusal, and not asked for without end', async () => {
  const queue = openQueue({ maxPages: 1 });
  await owe(gap);
  await queue.round();
  await queue.work();
  expect(await owed()).toMatchObject({ ...gap, tries: 1, detail: expect.stringContaining('shorter') });
  expect(await looksMade()).toBeLessThan(10);
});

test('an hourly look that is too much is owed in parts, and is no refusal', async () => {
  const queue = openQueue({ maxPages: 8 });
  const { workspaceId, accountId } = shop;
  const place = { workspaceId: toPublicId('workspace', workspaceId), accountId: toPublicId('account', accountId) };
  const payload = { ...place, reason: 'hourly', ...told({ from: before(3), until: now }) };
  busy = { from: before(3), until: before(1.5) };
  await queue.engines.jobs.enqueue('maintenance', { name: 'reconcile', id: 'hourly', payload });
  await queue.work();
  expect(await owed()).toMatchObject({ from: before(3), until: now, tries: 0 });
  await queue.round();
  await queue.work();
  expect(await owed()).toBeNull();
});

test('an hourly look that fails stays owed, and one that waited long looks up to now', async () => {
  const queue = openQueue();
  const place = {
    workspaceId: toPublicId('workspace', shop.workspaceId),
    accountId: toPublicId('account', shop.accountId),
  };
  const hourly = { ...place, reason: 'hourly', ...told({ from: before(9), until: before(6) }) };
  isAway = true;
  await queue.engines.jobs.enqueue('maintenance', { name: 'reconcile', id: 'hourly', payload: hourly });
  await queue.work();
  expect(await owed()).toMatchObject({ from: before(9), until: now, tries: 1 });
  isAway = false;
  await queue.engines.jobs.enqueue('maintenance', { name: 'reconcile', id: 'hourly', payload: hourly });
  await queue.work();
  expect(asked).toEqual([told({ from: before(9), until: now })]);
  expect(await owed()).toBeNull();
});

test('what a person asked for is not tried again behind their back, but settles what it covers', async () => {
  const queue = openQueue();
  const ask = (span: Span) => ({
    ...{ workspaceId: toPublicId('workspace', shop.workspaceId), accountId: toPublicId('account', shop.accountId) },
    ...{ reason: 'asked', ...told(span) },
  });
  const put = (span: Span) =>
    queue.engines.jobs.enqueue('maintenance', { name: 'reconcile', id: told(span).from, payload: ask(span) });
  isAway = true;
  await put(gap);
  await queue.work();
  expect(await owed()).toBeNull();
  isAway = false;
  await owe(gap);
  await put({ ...gap, from: before(4) });
  await queue.work();
  expect(await owed()).toMatchObject(gap);
  await put({ ...gap, from: before(20) });
  await queue.work();
  expect(await owed()).toBeNull();
});

const absence = (hours: number, accountId: AccountId = shop.accountId) => ({
  ...{ workspaceId: shop.workspaceId, accountId, from: before(hours), until: now },
});
const returns = (hours: number, engines: { readonly jobs: Engines['jobs'] }, accountId?: AccountId) =>
  world.db.storage.inWorkspace(shop.workspaceId, (tx) =>
    oweAbsence({ engines, log: silentLog }, tx, absence(hours, accountId)),
  );

test('an account that is back is asked for its absence at once, with what came shortly before', async () => {
  const queue = openQueue();
  await returns(reconcileLimits.downtimeMs / hourMs - 0.001, queue.engines);
  expect([queue.jobs, await owed()]).toEqual([[], null]);
  await returns(5, queue.engines);
  await queue.work();
  const from = new Date(before(5).getTime() - reconcileLimits.overlapMs);
  expect(asked).toEqual([told({ from, until: now })]);
  await returns(24 * 200, queue.engines);
  await queue.work();
  expect(asked[1]?.from).toBe(before(24 * reconcileLimits.maxSpanDays).toISOString());
});

test('an absence is owed by the commit that ends it: with it or not at all, and nothing is asked for before', async () => {
  const queue = openQueue();
  const cache = world.engines.cache;
  const accounts = createAccounts({
    ...{ storage: world.db.storage, channels, publicUrl: undefined, noteChange: () => {}, clock: fixedClock(now) },
    ...{ engines: { cache, counters: world.engines.counters }, sealer: world.sealer, log: silentLog },
    returned: (tx, one) => oweAbsence({ engines: queue.engines, log: silentLog }, tx, one),
  });
  const report = (tx: WorkspaceTx, status: 'connected' | 'disconnected') =>
    accounts.applyConnection(tx, shop.accountId, { kind: 'report', status, actor: 'provider' });
  const inShop = <Result>(work: (tx: WorkspaceTx) => Promise<Result>) =>
    world.db.storage.inWorkspace(shop.workspaceId, work);
  await inShop((tx) => report(tx, 'connected'));
  await inShop((tx) => report(tx, 'disconnected'));
  await world.db.ownerQuery(`UPDATE connection_changes SET at = $2 WHERE account_id = $1 AND next = 'disconnected'`, [
    shop.accountId,
    before(5),
  ]);
  const broken = inShop(async (tx) => {
    await report(tx, 'connected');
    throw new Error('the rest of it failed');
  });
  await expect(broken).rejects.toThrow('the rest of it failed');
  expect([await owed(), queue.jobs]).toEqual([null, []]);
  await inShop(async (tx) => {
    await report(tx, 'connected');
    // In the very transaction: whatever is killed after its commit, it is known what is to be asked for.
    expect(await findOwedLook(tx, shop.accountId)).toMatchObject({ until: now });
    expect(queue.jobs).toEqual([]);
  });
  expect(queue.jobs).toMatchObject([{ name: 'owed-looks' }]);
  await accounts.close();
});

test('an absence is owed though the queue is away, and nothing is kept for a provider that keeps no list', async () => {
  const queue = openQueue();
  const broken = { jobs: { enqueue: () => Promise.reject(new Error('Redis is away')) } as unknown as Engines['jobs'] };
  const meta = await world.connect(shop.workspaceId, {
    ...{ provider: 'meta', isActive: true, secrets: { accessToken: 'a token' } },
    settings: { phoneNumberId: `77${serial}`, wabaId: '1' },
  });
  for (const accountId of [shop.accountId, meta]) await returns(5, broken, accountId);
  await askForOwed(queue.engines);
  await queue.work();
  expect(asked).toHaveLength(1);
  expect([await owed(), await owed(meta)]).toEqual([null, null]);
});

test('what is older than may be asked for is let go, and so is what a removed account is owed', async () => {
  const queue = openQueue();
  await owe({ from: before(24 * 50), until: before(24 * 40) });
  await queue.round();
  await queue.work();
  expect([asked, await owed()]).toEqual([[], null]);
  await owe({ from: before(24 * 50), until: now });
  await queue.round();
  await queue.work();
  expect([asked[0]?.from, asked.at(-1)?.until]).toEqual([
    told({ ...gap, from: before(24 * 31) }).from,
    now.toISOString(),
  ]);
  asked.length = 0;
  await owe(gap);
  expect(await world.accounts.remove(shop.workspaceId, shop.accountId)).toMatchObject({ ok: true });
  await queue.round();
  await queue.work();
  expect([asked.length, await owed()]).toEqual([0, null]);
});
