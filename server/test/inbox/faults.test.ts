/** What is killed, stopped or cut off loses nothing, doubles nothing and blocks nobody for ever. */
import { createHash } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type NudgeableDrain, shardOf } from '#inbox';
import { systemClock } from '#kernel';
import type { Middleware } from '#pipeline';
import { type Storage, StorageUnavailable, type WorkspaceTx } from '#storage';
import { querying } from './querying.ts';
import {
  body,
  delivery,
  envelope,
  type InboxWorld,
  openInboxWorld,
  type Shop,
  status,
  text,
  textBody,
  value,
  type WorkerFacts,
} from './world.ts';

let world: InboxWorld;
let workers: NudgeableDrain[] = [];

beforeAll(async () => {
  world = await openInboxWorld();
});
afterEach(async () => {
  await Promise.all(workers.map((worker) => worker.stop(200)));
  workers = [];
});
afterAll(() => world.close());

function work(facts: WorkerFacts = {}): NudgeableDrain {
  const worker = world.worker({ turnLimits: { retryDelayMs: 10, idleMs: 20 }, ...facts });
  workers.push(worker);
  return worker;
}

const textOf = (ctx: Parameters<Middleware['handle']>[0]) => {
  const { content } = ctx.input.stored.event;
  return content.type === 'text' ? content.text : '';
};

async function textsOf(shop: Shop): Promise<string[]> {
  const rows = await world.db.ownerQuery<{ text: string }>(
    `SELECT m.text FROM messages m JOIN events e ON e.id = m.event_id
     WHERE m.workspace_id = $1 AND m.direction = 'in' ORDER BY e.settled_at`,
    [shop.workspaceId],
  );
  return rows.map((row) => row.text);
}

async function eventOf(shop: Shop, text: string) {
  const [row] = await world.db.ownerQuery<{ state: string; attempts: number; deaths: number; reason: string }>(
    `SELECT state, attempts, deaths, reason FROM events WHERE workspace_id = $1 AND payload->'content'->>'text' = $2`,
    [shop.workspaceId, text],
  );
  return row;
}

const kill = (applicationName: string) =>
  world.db.ownerQuery(
    `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND application_name LIKE $1`,
    [`${applicationName}%`],
  );

/** A worker whose process is gone the moment it reaches this text: its transaction is cut, its lease stays. */
async function dyingWorker(name: string, at: string) {
  const own = await world.connection(name);
  let reached = 0;
  const dies: Middleware = {
    name: 'dies',
    handle: (ctx, next) => {
      if (textOf(ctx) !== at) return next(ctx);
      reached += 1;
      return new Promise<never>(() => {});
    },
  };
  // Dead: it gives nothing back and records nothing.
  const storage: Storage = {
    ...own,
    inWorkspace: (id, inside) => (reached > 0 ? new Promise<never>(() => {}) : own.inWorkspace(id, inside)),
    workerStatement: (text, values, statement) =>
      reached > 0 ? new Promise<never>(() => {}) : own.workerStatement(text, values, statement),
  };
  work({ storage, leaseMs: 400, parts: { middleware: [dies] }, turnLimits: { idleMs: 20, turnMs: 60_000 } });
  return { hasReached: async () => reached > 0 };
}

describe('an event that ends the process', () => {
  it('is counted before each next try, ends as a dead letter, and its successors are handled', async () => {
    const shop = await world.shop();
    const receiver = world.receiver();
    for (const text of ['before', 'killer', 'after']) await receiver.receive(delivery(shop, textBody(shop, { text })));
    for (let life = 0; life <= 6; life += 1) {
      const dying = await dyingWorker(`dying ${life} `, 'killer');
      await world.eventually(dying.hasReached);
      expect(await eventOf(shop, 'killer')).toMatchObject({ state: 'pending', deaths: life });
      await kill(`dying ${life} `);
    }
    work();
    await world.settled();
    expect(await eventOf(shop, 'killer')).toEqual({
      state: 'dead',
      attempts: 0,
      deaths: 7,
      reason: 'it ended the process that handled it',
    });
    expect(await textsOf(shop)).toEqual(['before', 'after']);
  });

  it('is not one that failed six times before a process died over it once', async () => {
    const shop = await world.shop();
    await world.receiver().receive(delivery(shop, textBody(shop, { text: 'unlucky' })));
    const own = await world.connection('unlucky');
    let tries = 0;
    const isDead = () => tries > 6;
    const meets: Middleware = {
      name: 'meets',
      handle(ctx, next) {
        if (textOf(ctx) !== 'unlucky') return next(ctx);
        tries += 1;
        return isDead()
          ? new Promise<never>(() => {})
          : Promise.reject(Object.assign(new Error('deadlock detected'), { code: '40P01' }));
      },
    };
    const storage: Storage = {
      ...own,
      inWorkspace: (id, inside) => (isDead() ? new Promise<never>(() => {}) : own.inWorkspace(id, inside)),
      workerStatement: (text, values, name) =>
        isDead() ? new Promise<never>(() => {}) : own.workerStatement(text, values, name),
    };
    const turnLimits = { turnsAtOnce: 0, retryDelayMs: 5, maxRetryDelayMs: 10, idleMs: 20, turnMs: 60_000 };
    work({ storage, leaseMs: 400, parts: { middleware: [meets] }, turnLimits });
    await world.eventually(async () => isDead());
    await kill('unlucky');
    work();
    await world.settled();
    expect(await eventOf(shop, 'unlucky')).toMatchObject({ state: 'handled', attempts: 6, deaths: 1 });
    expect(await textsOf(shop)).toEqual(['unlucky']);
  });

  it('is a turn that never ends, too: it is cut off, counted, and set aside', async () => {
    const shop = await world.shop();
    const receiver = world.receiver();
    for (const text of ['endless', 'after']) await receiver.receive(delivery(shop, textBody(shop, { text })));
    const endless: Middleware = {
      name: 'endless',
      handle: (ctx, next) => (textOf(ctx) === 'endless' ? new Promise<never>(() => {}) : next(ctx)),
    };
    work({ parts: { middleware: [endless] }, turnLimits: { turnMs: 60, retryDelayMs: 10, idleMs: 20 } });
    await world.settled();
    expect(await eventOf(shop, 'endless')).toMatchObject({ state: 'dead', attempts: 3 });
    expect(await textsOf(shop)).toEqual(['after']);
  });

  it.for([
    ['does not answer', false],
    ['took most of the time', true],
  ])('is not a turn for which the database %s: it is tried far more often', async ([, doesAnswer]) => {
    const shop = await world.shop();
    const turnMs = 300;
    let tries = 0;
    const asks: Middleware = {
      name: 'asks',
      async handle(ctx, next) {
        await ctx.tx.query('SELECT 1', [], 'asked');
        return tries < 6 ? new Promise<never>(() => {}) : next(ctx);
      },
    };
    const { storage } = world.db;
    const slow = querying(storage, (tx) => async (statement, values, name) => {
      if (name !== 'asked') return tx.query(statement, values, name);
      tries += 1;
      if (tries < 6) await (doesAnswer ? pause(turnMs * 0.8) : new Promise<never>(() => {}));
      return tx.query(statement, values, name);
    });
    await world.receiver().receive(delivery(shop, textBody(shop, { text: 'slowly' })));
    work({
      storage: slow,
      parts: { middleware: [asks] },
      turnLimits: { turnMs, turnsAtOnce: 0, retryDelayMs: 5, maxRetryDelayMs: 10, idleMs: 20 },
    });
    await world.settled();
    const event = await eventOf(shop, 'slowly');
    expect(event?.state).toBe('handled');
    expect(event?.attempts).toBeGreaterThanOrEqual(5);
  });
});

describe('a worker that was stopped longer than its lease', () => {
  it.for([
    ['at once', { 'inbox-lease-shards': 1, 'inbox-lease-conversations': 0 }, {}],
    ['under a lease', { 'inbox-lease-conversations': 1 }, { turnsAtOnce: 0 }],
  ] as const)('writes nothing when it wakes up from a turn %s', async ([, leases, more]) => {
    const shop = await world.shop();
    const own = await world.connection('zombie');
    const asleep = Promise.withResolvers<void>();
    const awake = Promise.withResolvers<void>();
    const ended = Promise.withResolvers<unknown>();
    const guards: unknown[] = [];
    const sleeps: Middleware = {
      name: 'sleeps',
      async handle(ctx, next) {
        // Postgres ends it by itself if this process cannot.
        const [guard] = await ctx.tx.query('SHOW idle_in_transaction_session_timeout');
        guards.push(guard?.idle_in_transaction_session_timeout);
        asleep.resolve();
        await awake.promise;
        try {
          await ctx.tx.query(`UPDATE conversations SET session = '{"zombie": true}'`);
          ended.resolve(null);
        } catch (error) {
          ended.resolve(error);
          throw error;
        }
        return next(ctx);
      },
    };
    const turnLimits = { turnMs: 60_000, atOnceMs: 60_000, idleMs: 20, ...more };
    const left: Record<string, number> = { ...leases };
    // A stopped process does not take the work up again itself.
    const storage: Storage = {
      ...own,
      async workerStatement(statement, values, name) {
        if (left[name] === 0) return [];
        const rows = await own.workerStatement(statement, values, name);
        if (rows.length > 0 && left[name] !== undefined) left[name] -= 1;
        return rows as never;
      },
      async workerStatements(statements) {
        const place = statements.findIndex(({ name }) => name === 'inbox-lease-shards');
        const mayLease = left['inbox-lease-shards'] !== 0;
        const outcomes = [...(await own.workerStatements(statements.toSpliced(place, mayLease ? 0 : 1)))];
        if (!mayLease) return outcomes.toSpliced(place, 0, { status: 'fulfilled', value: [] });
        const leased = outcomes[place];
        if (leased?.status === 'fulfilled' && leased.value.length > 0 && left['inbox-lease-shards'] !== undefined)
          left['inbox-lease-shards'] -= 1;
        return outcomes;
      },
    };
    work({ storage, leaseMs: 300, parts: { middleware: [sleeps] }, turnLimits });
    await world.receiver().receive(delivery(shop, textBody(shop, { text: 'once' })));
    await asleep.promise;
    work();
    await world.eventually(async () => (await eventOf(shop, 'once'))?.state === 'handled');
    awake.resolve();
    expect(await ended.promise).toBeInstanceOf(Error);
    expect(guards).toEqual(['300ms']);
    await world.settled();
    expect(await textsOf(shop)).toEqual(['once']);
    const rows = await world.db.ownerQuery(
      `SELECT session ? 'zombie' AS "isHaunted", (SELECT count(*)::int FROM turns t WHERE t.workspace_id = v.workspace_id) AS turns
       FROM conversations v WHERE workspace_id = $1`,
      [shop.workspaceId],
    );
    expect(rows).toEqual([{ isHaunted: false, turns: 1 }]);
  });

  it('does not begin a turn under a lease that another holds', async () => {
    const shop = await world.shop();
    const own = await world.connection('slow');
    const leased = Promise.withResolvers<void>();
    const goOn = Promise.withResolvers<void>();
    let began = 0;
    const counts: Middleware = {
      name: 'counts',
      handle: (ctx, next) => {
        began += 1;
        return next(ctx);
      },
    };
    let isFirst = true;
    const storage: Storage = {
      ...own,
      async workerStatement(statement, values, name) {
        if (name !== 'inbox-lease-conversations') return own.workerStatement(statement, values, name);
        if (!isFirst) return [];
        const rows = await own.workerStatement(statement, values.with(1, 50), name);
        if (rows.length === 0) return [];
        isFirst = false;
        leased.resolve();
        await goOn.promise;
        return rows as never;
      },
    };
    const zombie = work({ storage, parts: { middleware: [counts] }, turnLimits: { turnsAtOnce: 0, idleMs: 20 } });
    const receiver = world.receiver();
    await receiver.receive(delivery(shop, textBody(shop, { text: 'taken' })));
    await leased.promise;
    const other = work();
    await world.eventually(async () => (await eventOf(shop, 'taken'))?.state === 'handled');
    await other.stop(5_000);
    await receiver.receive(delivery(shop, textBody(shop, { text: 'not its own' })));
    await world.eventually(async () => (await eventOf(shop, 'not its own'))?.state === 'pending');
    goOn.resolve();
    await zombie.stop(5_000);
    expect(await eventOf(shop, 'not its own')).toMatchObject({ state: 'pending', attempts: 0 });
    expect(began).toBe(0);
    work();
    await world.settled();
  });
});

/** One message that can be read, and one that cannot. */
const odd = (shop: Shop) => value(shop, { messages: [text({ text: 'beside it' }), null] });

describe('shards', () => {
  it('are read by one at a time: what a worker holds, another does not lease', async () => {
    const shop = await world.shop();
    const holding = Promise.withResolvers<void>();
    const goOn = Promise.withResolvers<void>();
    const own = await world.connection('holder');
    const storage: Storage = {
      ...own,
      async inWorkspace(id, inside) {
        holding.resolve();
        await goOn.promise;
        return own.inWorkspace(id, inside);
      },
    };
    work({ storage });
    await world.receiver().receive(delivery(shop, textBody(shop, { text: 'held' })));
    await holding.promise;
    let reads = 0;
    const other = world.db.storage;
    work({
      storage: {
        ...other,
        workerStatement: (text, values, name) => {
          if (name === 'inbox-read-stored') reads += 1;
          return other.workerStatement(text, values, name);
        },
      },
    });
    await world.receiver().receive(delivery(shop, textBody(shop, { text: 'waits its turn' })));
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(reads).toBe(0);
    goOn.resolve();
    await world.settled();
    expect(await textsOf(shop)).toEqual(['held', 'waits its turn']);
  });

  it('taken over while their reader slept are not written to by it when it wakes up', async () => {
    const shop = await world.shop();
    const asleep = Promise.withResolvers<void>();
    const awake = Promise.withResolvers<void>();
    const own = await world.connection('sleeper');
    const sleeper = work({
      leaseMs: 150,
      storage: {
        ...own,
        async inWorkspace(id, inside) {
          asleep.resolve();
          await awake.promise;
          return own.inWorkspace(id, inside);
        },
      },
    });
    const sent = delivery(shop, envelope([{ wabaId: shop.wabaId, values: [odd(shop)] }]));
    await world.receiver().receive(sent);
    await asleep.promise;
    work();
    await world.settled();
    awake.resolve();
    await sleeper.stop(5_000);
    const letters = await world.db.ownerQuery('SELECT reason FROM dead_letters WHERE delivery_id = $1', [sent.id]);
    expect(letters).toEqual([{ reason: 'unreadable' }]);
    expect(await textsOf(shop)).toEqual(['beside it']);
  });

  // The leases are 30 s here; the test's own limit is shorter.
  it('of which one was taken over while their reader slept are given back when it wakes up', async () => {
    const lost = await world.shop();
    let kept = await world.shop();
    while (shardOf(kept) === shardOf(lost)) kept = await world.shop();
    const asleep = Promise.withResolvers<void>();
    const awake = Promise.withResolvers<void>();
    const own = await world.connection('sleeper');
    let sleptMs = 0;
    const receiver = world.receiver();
    for (const shop of [lost, kept]) await receiver.receive(delivery(shop, textBody(shop, { text: 'in one batch' })));
    work({
      clock: { ...systemClock, elapsedMs: () => systemClock.elapsedMs() + sleptMs },
      storage: {
        ...own,
        async inWorkspace(id, inside, planning) {
          asleep.resolve();
          await awake.promise;
          return own.inWorkspace(id, inside, planning);
        },
      },
    });
    await asleep.promise;
    const took = await world.db.ownerQuery(
      `UPDATE inbox_shards SET leased_by = 'another', lease_epoch = lease_epoch + 1, leased_until = now() + interval '1 hour'
       WHERE shard = $1 AND leased_by LIKE 'test%' RETURNING shard`,
      [shardOf(lost)],
    );
    expect(took).toHaveLength(1);
    sleptMs = 31_000;
    awake.resolve();
    await world.eventually(async () => (await textsOf(kept)).length === 1);
    const [left] = await world.db.ownerQuery('SELECT leased_by FROM inbox_shards WHERE shard = $1', [shardOf(lost)]);
    expect(left).toEqual({ leased_by: 'another' });
    await world.db.ownerQuery('UPDATE inbox_shards SET leased_by = NULL, leased_until = now()');
    await world.settled();
    expect(await textsOf(lost)).toEqual(['in one batch']);
  });

  it('taken over while a delivery is taken apart end nothing of it: it is whole for who has them now', async () => {
    const shop = await world.shop();
    const own = await world.connection('apart');
    let sleptMs = 0;
    let took = 0;
    let claimed = 0;
    const counting = (tx: WorkspaceTx): WorkspaceTx => ({
      ...tx,
      query(statement, values, name) {
        if (name === 'inbox-claim-keys') claimed = (JSON.parse(String(values?.[1])) as unknown[]).length;
        return tx.query(statement, values, name);
      },
    });
    const late = work({
      clock: { ...systemClock, elapsedMs: () => systemClock.elapsedMs() + sleptMs },
      storage: {
        ...own,
        async inWorkspace(id, inside, planning) {
          const result = await own.inWorkspace(id, (tx) => inside(counting(tx)), planning);
          if (claimed !== 1 || took > 0) return result;
          // The first event is written by itself, and the other two are not yet.
          const taken = await world.db.ownerQuery(
            `UPDATE inbox_shards SET leased_by = 'another', lease_epoch = lease_epoch + 1, leased_until = now() + interval '1 hour'
             WHERE shard = $1 RETURNING shard`,
            [shardOf(shop)],
          );
          took = taken.length;
          sleptMs = 31_000;
          return result;
        },
      },
    });
    // Longer than any index takes, and incompressible: this part can never be written.
    const long = Array.from({ length: 150 }, (_, i) => createHash('sha256').update(`${i}`).digest('hex')).join('');
    const messages = [text({ text: 'first' }), text({ text: 'second' })];
    const sent = delivery(shop, body(shop, value(shop, { messages, statuses: [status(long, 'read')] })));
    await world.receiver().receive(sent);
    await world.eventually(async () => took > 0);
    await late.stop(5_000);
    const open = 'SELECT state, attempts FROM inbox WHERE id = $1';
    const letters = 'SELECT reason, path FROM dead_letters WHERE delivery_id = $1';
    expect(await world.db.ownerQuery(letters, [sent.id])).toEqual([]);
    expect(await world.db.ownerQuery(open, [sent.id])).toEqual([{ state: 'stored', attempts: 0 }]);
    await world.db.ownerQuery('UPDATE inbox_shards SET leased_by = NULL, leased_until = now()');
    work();
    await world.settled();
    expect((await textsOf(shop)).sort()).toEqual(['first', 'second']);
    expect(await world.db.ownerQuery(letters, [sent.id])).toEqual([
      { reason: 'failed', path: '/entry/0/changes/0/value/statuses/0' },
    ]);
  });

  it('that were leased while the connection broke are given back, although the answer never came', async () => {
    const shop = await world.shop();
    const { storage } = world.db;
    let broken = 0;
    work({
      storage: {
        ...storage,
        async workerStatements(statements) {
          const outcomes = await storage.workerStatements(statements);
          const place = statements.findIndex(({ name }) => name === 'inbox-lease-shards');
          const leased = outcomes[place];
          if (broken > 0 || leased?.status !== 'fulfilled' || leased.value.length === 0) return outcomes;
          broken += 1;
          const reason = new StorageUnavailable('the connection broke');
          return outcomes.map((one, index) => (index < place ? one : { status: 'rejected', reason }));
        },
      },
    });
    await world.receiver().receive(delivery(shop, textBody(shop, { text: 'leased unheard' })));
    await world.settled();
    expect([broken, await textsOf(shop)]).toEqual([1, ['leased unheard']]);
  });

  it('left behind are taken up after their lease, and a delivery that ends the process ends as a dead letter', async () => {
    const shop = await world.shop();
    const receiver = world.receiver();
    const killer = delivery(shop, textBody(shop, { text: 'killer' }));
    const after = delivery(shop, textBody(shop, { text: 'after' }));
    await receiver.receive(killer);
    await receiver.receive(after);
    for (let life = 0; life <= 6; life += 1) {
      const reached = Promise.withResolvers<void>();
      const { storage } = world.db;
      work({
        leaseMs: 150,
        storage: {
          ...storage,
          inWorkspace: () => {
            reached.resolve();
            return new Promise<never>(() => {});
          },
        },
      });
      await reached.promise;
    }
    work();
    await world.settled();
    const rows = await world.db.ownerQuery(
      `SELECT i.state, i.attempts, l.detail FROM inbox i LEFT JOIN dead_letters l ON l.delivery_id = i.id
       WHERE i.id = ANY($1) ORDER BY i.position`,
      [[killer.id, after.id]],
    );
    expect(rows).toMatchObject([
      { state: 'dead', attempts: 7, detail: 'it ended the process that handled it' },
      { state: 'normalised' },
    ]);
    expect(await textsOf(shop)).toEqual(['after']);
  });
});

describe('the database', () => {
  it('may lose all connections again and again: nothing is lost or doubled, and needs no help', async () => {
    const shop = await world.shop();
    const own = await world.connection('cut');
    work({ storage: own, parts: { middleware: [] } });
    const receiver = world.receiver();
    for (let i = 0; i < 40; i += 1) {
      await receiver.receive(delivery(shop, textBody(shop, { text: String(i), from: `3464000000${i % 4}` })));
      if (i % 10 === 5) await kill('cut');
    }
    await world.settled();
    expect((await textsOf(shop)).map(Number).sort((a, b) => a - b)).toEqual(Array.from({ length: 40 }, (_, i) => i));
    const letters = await world.db.ownerQuery('SELECT * FROM dead_letters WHERE workspace_id = $1', [shop.workspaceId]);
    expect(letters).toEqual([]);
  });

  it('may be away in the middle: leases are given back as soon as it is there', async () => {
    const shop = await world.shop();
    let isAway = false;
    let refused = 0;
    const { storage } = world.db;
    const refuse = (): Promise<never> => {
      refused += 1;
      return Promise.reject(new StorageUnavailable('away'));
    };
    const goes: Middleware = {
      name: 'goes',
      handle: (ctx, next) => {
        if (refused === 0) {
          isAway = true;
          return Promise.reject(new StorageUnavailable('away'));
        }
        return next(ctx);
      },
    };
    work({
      storage: {
        ...storage,
        inWorkspace: (id, inside) => (isAway ? refuse() : storage.inWorkspace(id, inside)),
        workerStatement: (text, values, name) => (isAway ? refuse() : storage.workerStatement(text, values, name)),
      },
      parts: { middleware: [goes] },
    });
    await world.receiver().receive(delivery(shop, textBody(shop, { text: 'through it all' })));
    await world.eventually(async () => refused > 1);
    isAway = false;
    // The lease is 30 s; the test's own limit is shorter.
    await world.settled();
    expect(await textsOf(shop)).toEqual(['through it all']);
    expect(await eventOf(shop, 'through it all')).toMatchObject({ attempts: 0 });
  });

  it('may undo a batch that met another: it is done again, and nothing becomes a dead letter', async () => {
    const shop = await world.shop();
    let meetings = 0;
    const { storage } = world.db;
    work({
      storage: {
        ...storage,
        inWorkspace: async (id, inside) =>
          storage.inWorkspace(id, async (tx) => {
            const result = await inside(tx);
            if (meetings < 3) {
              meetings += 1;
              await tx.query(`DO $$ BEGIN RAISE EXCEPTION 'deadlock detected' USING ERRCODE = '40P01'; END $$`);
            }
            return result;
          }),
      },
    });
    await world.receiver().receive(delivery(shop, textBody(shop, { text: 'met' })));
    await world.settled();
    expect(await textsOf(shop)).toEqual(['met']);
    const [row] = await world.db.ownerQuery('SELECT state, dead_count FROM inbox WHERE workspace_id = $1', [
      shop.workspaceId,
    ]);
    expect(row).toEqual({ state: 'normalised', dead_count: 0 });
  });

  /** Cuts off what `isCut` tells, as its own time-out would. */
  function cutting(isCut: (name: string | undefined, values: readonly unknown[]) => boolean, code = '57014'): Storage {
    return querying(
      world.db.storage,
      (tx) =>
        (statement, values = [], name = '') =>
          isCut(name, values)
            ? tx.query(`DO $$ BEGIN RAISE EXCEPTION 'cut off' USING ERRCODE = '${code}'; END $$`)
            : tx.query(statement, values, name),
    );
  }

  const nudgedUntilSettled = async (worker: NudgeableDrain) => {
    const nudging = setInterval(() => worker.nudge(), 20);
    await world.settled().finally(() => clearInterval(nudging));
  };

  /** Two of one shop, of which the first meets trouble, and one of another that has more to write and so comes later. */
  async function handledBeside(isTrouble: (deliveryId: string, values: string) => boolean, code: string) {
    const [shop, other] = [await world.shop(), await world.shop()];
    const receiver = world.receiver();
    const messages = [null, text({ text: 'first' }), null];
    const first = delivery(shop, body(shop, value(shop, { messages })));
    const froms = ['34680000001', '34680000002', '34680000003'];
    const large = textBody(other, ...froms.map((from) => ({ from, text: 'of another shop' })));
    for (const one of [first, delivery(shop, textBody(shop, { text: 'after it' })), delivery(other, large)])
      await receiver.receive(one);
    const isCut = (name: string | undefined, values: readonly unknown[]) =>
      name === 'inbox-insert-dead-letters' && isTrouble(first.id, String(values[1]));
    await nudgedUntilSettled(work({ storage: cutting(isCut, code) }));
    expect(await textsOf(other)).toEqual(froms.map(() => 'of another shop'));
    expect(await textsOf(shop)).toEqual(['first', 'after it']);
    const through = await world.db.ownerQuery<{ workspaceId: string; leftOver: number }>(
      `SELECT workspace_id AS "workspaceId", left_over AS "leftOver" FROM inbox WHERE workspace_id = ANY($1) ORDER BY normalised_at, position`,
      [[shop.workspaceId, other.workspaceId]],
    );
    expect(through.map(({ workspaceId }) => workspaceId)).toEqual([
      other.workspaceId,
      ...[shop.workspaceId, shop.workspaceId],
    ]);
    const letters = await world.db.ownerQuery<{ reason: string; path: string }>(
      'SELECT reason, path FROM dead_letters WHERE delivery_id = $1 ORDER BY id',
      [first.id],
    );
    return { leftOver: through[1]?.leftOver, letters };
  }

  it('may cut off one delivery whenever it is tried: the others go on, and it ends with what can be written of it', async () => {
    let cuts = 0;
    const { leftOver, letters } = await handledBeside((id, values) => {
      const isCut = values.includes(id) && (JSON.parse(values) as unknown[]).length > 1;
      if (isCut) cuts += 1;
      return isCut;
    }, '57014');
    expect(leftOver).toBe(6);
    // Together, then six times by itself, then the last time.
    expect(cuts).toBe(8);
    expect(letters).toEqual([{ reason: 'failed', path: '' }]);
  });

  it('may cut off a delivery six times before its process dies once: it is taken apart, and not called a killer', async () => {
    const shop = await world.shop();
    const sent = delivery(shop, body(shop, value(shop, { messages: [null, text({ text: 'sound' }), null] })));
    let cuts = 0;
    const storage = cutting((name, values) => {
      const isCut = name === 'inbox-insert-dead-letters' && (JSON.parse(String(values[1])) as unknown[]).length > 1;
      if (isCut) cuts += 1;
      return isCut;
    });
    const died = Promise.withResolvers<void>();
    const dying = work({
      leaseMs: 150,
      storage: {
        ...storage,
        inWorkspace(id, inside, planning) {
          // Cut off with its batch, then six times alone.
          if (cuts < 7) return storage.inWorkspace(id, inside, planning);
          died.resolve();
          return new Promise<never>(() => {});
        },
      },
    });
    await world.receiver().receive(sent);
    const nudging = setInterval(() => dying.nudge(), 20);
    await died.promise.finally(() => clearInterval(nudging));
    work({ storage });
    await world.settled();
    const rows = await world.db.ownerQuery(
      `SELECT i.state, i.left_over, i.attempts, l.detail LIKE '2 parts were set aside%' AS "isApart"
       FROM inbox i JOIN dead_letters l ON l.delivery_id = i.id WHERE i.id = $1`,
      [sent.id],
    );
    expect(rows).toEqual([{ state: 'normalised', left_over: 6, attempts: 1, isApart: true }]);
    expect(await textsOf(shop)).toEqual(['sound']);
  });

  it('may keep one delivery waiting for a row: the others go on, and it counts for nothing', async () => {
    let waits = 0;
    const { leftOver, letters } = await handledBeside((id, values) => {
      const isHeldUp = values.includes(id) && waits < 12;
      if (isHeldUp) waits += 1;
      return isHeldUp;
    }, '55P03');
    expect(leftOver).toBe(0);
    expect(letters).toMatchObject([{ reason: 'unreadable' }, { reason: 'unreadable' }]);
  });

  it.for([
    ['who only waited for it does not wait again', '55P03'],
    ['a count that waits for it is left out', '57014'],
  ] as const)('may keep the row of one delivery locked: others are handled, and %s', async ([, code]) => {
    const shop = await world.shop();
    let other = await world.shop();
    while (shardOf(other) !== shardOf(shop)) other = await world.shop();
    const held = delivery(shop, body(shop, value(shop, { messages: [null, text({ text: 'held' }), null] })));
    // More to write, and so later.
    const froms = ['34680000001', '34680000002', '34680000003'];
    const later = delivery(other, textBody(other, ...froms.map((from) => ({ from, text: 'later' }))));
    for (const one of [held, later]) await world.receiver().receive(one);
    const tried = Promise.withResolvers<void>();
    const locked = Promise.withResolvers<void>();
    let isLocked = true;
    const fails = (as: string) => `DO $$ BEGIN RAISE EXCEPTION 'cut off' USING ERRCODE = '${as}'; END $$`;
    const { storage } = world.db;
    const failing: Storage = {
      ...storage,
      async inWorkspace(id, inside, planning) {
        if (id !== shop.workspaceId || !isLocked) return storage.inWorkspace(id, inside, planning);
        tried.resolve();
        await locked.promise;
        return (await storage.inWorkspace(id, (tx) => tx.query(fails(code)))) as never;
      },
      workerStatement: (statement, values, name) =>
        // As its own `lock_timeout` would after five seconds.
        code === '57014' && isLocked && name === 'inbox-count-left-over'
          ? storage.workerStatement(fails('55P03'), [], 'fails')
          : storage.workerStatement(statement, values, name),
    };
    const frozen = await world.connection('frozen');
    work({ storage: failing });
    await tried.promise;
    await frozen.inWorkspace(shop.workspaceId, async (tx) => {
      const row = 'SELECT id FROM inbox WHERE workspace_id = $1 AND id = $2 FOR UPDATE';
      expect(await tx.query(row, [shop.workspaceId, held.id])).toHaveLength(1);
      locked.resolve();
      await world.eventually(async () => (await textsOf(other)).length === froms.length);
    });
    isLocked = false;
    await world.settled();
    expect(await textsOf(shop)).toEqual(['held']);
  });

  it('sees many new customers of two accounts at once, in opposite orders, and loses none', async () => {
    const shop = await world.shop();
    const secondId = await world.connect(shop.workspaceId, {
      provider: 'meta',
      settings: { phoneNumberId: `8${shop.phoneNumberId}`, wabaId: shop.wabaId },
      secrets: { accessToken: 'a token' },
    });
    const second = { ...shop, accountId: secondId, phoneNumberId: `8${shop.phoneNumberId}` };
    const customers = Array.from({ length: 60 }, (_, i) => `346500000${String(i).padStart(2, '0')}`);
    const receivers = [world.receiver(), world.receiver()];
    const one = delivery(shop, textBody(shop, ...customers.map((from) => ({ from }))));
    const other = delivery(second, textBody(second, ...customers.toReversed().map((from) => ({ from }))));
    await Promise.all([receivers[0]?.receive(one), receivers[1]?.receive(other)]);
    work({ parts: { middleware: [] } });
    work({ parts: { middleware: [] }, storage: await world.connection('second') });
    await world.settled();
    const [row] = await world.db.ownerQuery(
      `SELECT (SELECT count(*)::int FROM contacts WHERE workspace_id = $1 AND deleted_at IS NULL) AS contacts,
         (SELECT count(*)::int FROM messages WHERE workspace_id = $1) AS messages,
         (SELECT count(*)::int FROM dead_letters WHERE workspace_id = $1) AS dead`,
      [shop.workspaceId],
    );
    expect(row).toEqual({ contacts: 60, messages: 120, dead: 0 });
  });
});

describe('stop', () => {
  it('finishes the turn under way, gives back what it holds, and begins no other', async () => {
    const shop = await world.shop();
    const inside = Promise.withResolvers<void>();
    const goOn = Promise.withResolvers<void>();
    const waits: Middleware = {
      name: 'waits',
      async handle(ctx, next) {
        inside.resolve();
        await goOn.promise;
        return next(ctx);
      },
    };
    const receiver = world.receiver();
    for (const text of ['first', 'second']) await receiver.receive(delivery(shop, textBody(shop, { text })));
    const worker = work({ parts: { middleware: [waits] } });
    await inside.promise;
    const stopped = worker.stop(5_000);
    goOn.resolve();
    await stopped;
    expect(await textsOf(shop)).toEqual(['first']);
    const [held] = await world.db.ownerQuery(
      `SELECT (SELECT count(*)::int FROM conversations WHERE leased_until > '-infinity') AS conversations,
         (SELECT count(*)::int FROM inbox_shards WHERE leased_by IS NOT NULL) AS shards`,
    );
    expect(held).toEqual({ conversations: 0, shards: 0 });
    work();
    await world.settled();
    expect(await textsOf(shop)).toEqual(['first', 'second']);
  });
});
