import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { silentLog } from '#kernel';
import { type TestDatabase, testDatabase } from '../../../test/support/database.ts';
import { startTestRedis, type TestRedis } from '../../../test/support/redis.ts';
import type { CacheOptions, Engines } from '../engines.ts';
import { cacheConformance } from './cache/cache.conformance.ts';
import { type EnginesUnderTest, eventually, gate } from './conformance.ts';
import { openEngines } from './conformance-process.ts';
import { countersConformance } from './counters/counters.conformance.ts';
import { doorbellConformance } from './doorbell/doorbell.conformance.ts';
import { jobsConformance } from './jobs/jobs.conformance.ts';
import { reconnectWaitMs } from './reconnect.ts';
import { createRedisEngines } from './redis-engines.ts';

let db: TestDatabase;
let server: TestRedis;
let redis: Redis;
let opened: Engines[] = [];

beforeAll(async () => {
  [db, server] = await Promise.all([testDatabase(), startTestRedis()]);
  redis = new Redis(server.url, { connectionName: 'test' });
  redis.on('error', () => {
    // Some tests take the server away.
  });
});
afterAll(async () => {
  redis.disconnect();
  await Promise.all([db.close(), server.close()]);
});
afterEach(async () => {
  await Promise.all(opened.map((engines) => engines.close()));
  opened = [];
  // A connection that was closed stays on the list for a moment, and the tests count on its order.
  await eventually(async () => expect(await connections(/-(doorbell|commands)$/)).toEqual([]));
  await redis.flushall();
  await db.ownerQuery('TRUNCATE counters');
});

/** Connections of a name, oldest first, which is not the order of Redis' list. */
async function connections(name: RegExp): Promise<string[]> {
  const list = String(await redis.client('LIST'))
    .trim()
    .split('\n');
  return list
    .filter((line) => name.test(/ name=(\S*)/.exec(line)?.[1] ?? ''))
    .map((line) => /id=(\d+)/.exec(line)![1]!)
    .sort((a, b) => Number(a) - Number(b));
}

async function cut(ids: readonly (string | undefined)[]): Promise<void> {
  expect(ids.length).toBeGreaterThan(0);
  for (const id of ids) expect(await redis.client('KILL', 'ID', id!)).toBe(1);
}

const under: EnginesUnderTest = {
  name: 'Redis',
  async open(options = {}) {
    const engines = await openEngines({ ...under.processOptions(), ...options });
    opened.push(engines);
    return engines;
  },
  processOptions: () => ({
    redisUrl: server.url,
    connectionString: db.urls.app,
    jobTimes: { firstRetryMs: 20, layAgainMs: 100, lockMs: 1_000 },
  }),
  async cutDoorbell(index) {
    const [hearing, ringing] = [await connections(/-doorbell$/), await connections(/-commands$/)];
    await cut([hearing[index], ringing[index]]);
  },
  cutJobs: async () => cut(await connections(/^(?!test$|switchyard-(doorbell|commands)$)/)),
};

doorbellConformance(under);
countersConformance(under);
cacheConformance(under);
jobsConformance(under);

const shared: CacheOptions<string> = {
  name: 'shared',
  maxEntries: 100,
  ttlMs: 60_000,
  negativeTtlMs: 5_000,
  load: async () => null,
  codec: { encode: (value) => JSON.stringify(value), decode: (text) => JSON.parse(text) },
};

describe('the shared level of the cache', () => {
  it('spares the other processes the load, of values and of absences', async () => {
    const loads: string[] = [];
    const load = async (key: string) => {
      loads.push(key);
      return key === 'none' ? null : `+${key}`;
    };
    const [one, two] = [await under.open(), await under.open()].map((engines) => engines.cache({ ...shared, load }));
    expect(await one!.get('a')).toEqual({ value: '+a', outcome: 'miss' });
    expect(await two!.get('a')).toEqual({ value: '+a', outcome: 'hit' });
    expect(await one!.get('none')).toEqual({ value: null, outcome: 'miss' });
    expect(await two!.get('none')).toEqual({ value: null, outcome: 'negative' });
    expect(loads).toEqual(['a', 'none']);
  });

  it('never sees what has no codec', async () => {
    const { codec: _, ...own } = shared;
    const cache = (await under.open()).cache({ ...own, load: async () => 'a very secret value' });
    await cache.get('a');
    expect(await redis.keys('*cache*')).toEqual([]);
  });

  it('does not take a value that was loaded before an invalidation, from whichever process', async () => {
    let row = 'old';
    const [reached, released] = [gate(), gate()];
    const [slow, fast, third] = [await under.open(), await under.open(), await under.open()];
    const before = slow
      .cache({
        ...shared,
        load: async () => {
          const value = row;
          reached.open();
          await released.opened;
          return value;
        },
      })
      .get('a');
    await reached.opened;
    row = 'new';
    await fast.cache(shared).invalidate('a');
    released.open();
    expect((await before).value).toBe('old');
    expect(await third.cache({ ...shared, load: async () => row }).get('a')).toEqual({ value: 'new', outcome: 'miss' });
  });

  it('costs a load and nothing else when it is flushed, even in the middle of one', async () => {
    let row = 'old';
    const [reached, released] = [gate(), gate()];
    const [one, two] = [await under.open(), await under.open()];
    const load = async () => row;
    const held = one.cache({ ...shared, load });
    await held.get('held');
    const before = one
      .cache({
        ...shared,
        load: async () => {
          const value = row;
          reached.open();
          await released.opened;
          return value;
        },
      })
      .get('a');
    await reached.opened;
    const other = two.cache({ ...shared, load });
    await redis.flushall();
    row = 'new';
    await other.invalidate('a');
    await other.invalidate('held');
    await redis.flushall();
    released.open();
    expect((await before).value).toBe('old');
    expect((await other.get('a')).value).toBe('new');
    await eventually(() => expect(held.peek('held')).toBeUndefined());
    expect(await held.get('held')).toEqual({ value: 'new', outcome: 'miss' });
  });

  it('is rid of a value even if the process that invalidates it has lost its connection', async () => {
    let row = 'old';
    const engines = [await under.open(), await under.open(), await under.open()];
    const [mine, theirs, third] = engines.map((each) => each.cache({ ...shared, load: async () => row }));
    await mine!.get('a');
    await theirs!.get('a');
    row = 'new';
    await under.cutDoorbell(0);
    await mine!.invalidate('a');
    await eventually(async () => expect((await theirs!.get('a')).value).toBe('new'));
    expect((await third!.get('a')).value).toBe('new');
    expect((await mine!.get('a')).value).toBe('new');
  });

  it('is done without while Redis is away, and invalidations of that time arrive when it is back', async () => {
    let row = 'old';
    const [one, two] = [await under.open(), await under.open()];
    const [mine, theirs] = [one, two].map((engines) => engines.cache({ ...shared, load: async () => row }));
    await mine!.get('a');
    await theirs!.get('a');
    await server.restart(async () => {
      row = 'new';
      await mine!.invalidate('a');
      expect((await mine!.get('a')).value).toBe('new');
    });
    await eventually(async () => expect((await theirs!.get('a')).value).toBe('new'));
  });
});

/** Passes everything on, until it is told to keep what comes without closing anything, as a network does that is cut. */
async function passage(port: number) {
  const passing = new Set<Socket>();
  const server = createServer((near) => {
    const far = connect(port, '127.0.0.1');
    near.pipe(far).pipe(near);
    for (const socket of [near, far]) {
      passing.add(socket);
      socket.on('error', () => socket.destroy());
    }
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `redis://127.0.0.1:${(server.address() as AddressInfo).port}`,
    fallSilent() {
      for (const socket of passing) socket.unpipe().pause();
    },
    close() {
      for (const socket of passing) socket.destroy();
      server.close();
    },
  };
}

describe('engines on Redis', () => {
  it('never pause for longer than a second between two attempts to reach it', () => {
    expect(reconnectWaitMs(1_000, () => 1, 1_000)).toBe(1_000);
    expect(reconnectWaitMs(0, () => 1, 1_000)).toBe(50);
  });

  it('notice a connection that died in silence, and call the gap', async () => {
    const between = await passage(Number(new URL(server.url).port));
    try {
      const engines = await openEngines({ ...under.processOptions(), redisUrl: between.url });
      opened.push(engines);
      const heard: string[] = [];
      let gaps = 0;
      await engines.doorbell.listen('silent', ({ n }) => heard.push(String(n)));
      engines.doorbell.onGap(() => {
        gaps += 1;
      });
      between.fallSilent();
      await eventually(() => expect(gaps).toBeGreaterThan(0));
      await (await under.open()).doorbell.ring('silent', { n: 'after' });
      await eventually(() => expect(heard).toContain('after'));
    } finally {
      between.close();
    }
  });

  it('refuse to open where no Redis answers, in one line without the password', async () => {
    const redisUrl = 'redis://:secret@127.0.0.1:1';
    const refusal = await createRedisEngines({ redisUrl, connectionString: db.urls.app, log: silentLog }).catch(String);
    expect(refusal).toMatch(/^RedisUnavailable: no Redis answers at 127\.0\.0\.1:1 \(REDIS_URL\): \S.*$/);
    expect(refusal).not.toContain('secret');
  });

  it('count in Postgres while Redis is away', async () => {
    const [one, two] = [await under.open(), await under.open()];
    await one.counters.add('rate', 5, 60_000);
    await server.restart(async () => {
      expect(await one.counters.add('rate', 1, 60_000)).toMatchObject({ total: 1 });
      expect(await two.counters.add('rate', 1, 60_000)).toMatchObject({ total: 2 });
    });
  });

  it('keep what was claimed when Redis is flushed', async () => {
    const { counters } = await under.open();
    expect(await counters.claimOnce('nonce', 60_000)).toBe(true);
    await redis.flushall();
    expect(await counters.claimOnce('nonce', 60_000)).toBe(false);
  });

  it('lay their schedules again when Redis was flushed', async () => {
    const { jobs } = await under.open();
    let fired = 0;
    await jobs.schedule('maintenance', { name: 'sweep', everyMs: 100, payload: {} });
    const work = async () => {
      fired += 1;
    };
    await jobs.work('maintenance', work, { concurrency: 1, maxAttempts: 1 });
    await eventually(() => expect(fired).toBeGreaterThan(0));
    await redis.flushall();
    const before = fired;
    await eventually(() => expect(fired).toBeGreaterThan(before + 2));
  });

  it('refuse to enqueue while Redis is away rather than wait for it', async () => {
    const { jobs } = await under.open();
    await jobs.counts('reminders');
    await server.restart(async () => {
      await expect(jobs.enqueue('reminders', { name: 'a', id: 'a', payload: {} })).rejects.toThrow();
    });
    await eventually(() => jobs.enqueue('reminders', { name: 'b', id: 'b', payload: {} }));
  });
});
