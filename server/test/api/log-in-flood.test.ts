/** What a log-in withstands: guessing, clocks, floods, and pages of other sites. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createPasswords, type Passwords } from '#storage';
import { createWorkspaces, logInLimits } from '#workspaces';
import { type Furnished, furnish } from './furnish.ts';
import { pathOf, routeCases, routeName } from './route-table.ts';
import { type ApiProcess, openWorld, ownPage, password, type World } from './world.ts';

let world: World;
let proxied: ApiProcess;
let shop: Furnished;

beforeAll(async () => {
  world = await openWorld();
  proxied = await world.openProcess({ isProxyTrusted: true });
  shop = await furnish(world, 'shop');
});
afterAll(() => world.close());

/** Work on all of them, so many at once. */
async function inTurns<T>(count: number, atOnce: number, work: (n: number) => Promise<T>): Promise<T[]> {
  const results: T[] = [];
  let next = 0;
  const one = async () => {
    for (let n = next++; n < count; n = next++) results[n] = await work(n);
  };
  await Promise.all(Array.from({ length: atOnce }, one));
  return results;
}

const median = (values: readonly number[]) => [...values].sort((a, b) => a - b)[values.length >> 1] ?? 0;

describe('10,000 guesses', () => {
  /** Real hashes, counted. */
  function counted() {
    const real = createPasswords();
    const calls = { verify: 0 };
    const passwords: Passwords = {
      hash: real.hash,
      verify: (given, stored) => {
        calls.verify += 1;
        return real.verify(given, stored);
      },
    };
    const { engines, db } = { engines: world.engines, db: world.db };
    const clock = { now: () => new Date(), elapsedMs: () => performance.now() };
    return {
      calls,
      logIn: createWorkspaces({ storage: db.storage, passwords, counters: engines.counters, clock }).logIn,
    };
  }

  it('at one address, most from one place and the rest from two thousand, come to few that are looked at', async () => {
    const person = await world.addPerson(shop.workspaceId, 'owner');
    const { calls, logIn } = counted();
    const outcomes = await inTurns(10_000, 12, async (n) => {
      const ip = n % 5 ? '192.0.2.1' : `198.18.${(n >> 8) & 255}.${n & 255}`;
      return (await logIn(person.email, n === 9_999 ? password : `guess ${n}`, { userAgent: null, ip })).kind;
    });
    const { addressFromPlace, address } = logInLimits;
    expect(calls.verify).toBeLessThanOrEqual(addressFromPlace.tries + address.tries);
    expect(outcomes.filter((kind) => kind === 'in')).toEqual([]);
    expect(outcomes.filter((kind) => kind === 'slow-down').length).toBeGreaterThanOrEqual(9_800);
  }, 120_000);
});

describe('an unknown address', () => {
  it('takes as long to be refused as a known one with a wrong password', async () => {
    const person = await world.addPerson(shop.workspaceId, 'agent');
    const [known, unknown]: number[][] = [[], []];
    const time = async (email: string, n: number) => {
      const begun = performance.now();
      const outcome = await world.workspaces.logIn(email, 'a wrong password', {
        userAgent: null,
        ip: `203.0.113.${n}`,
      });
      expect(outcome.kind).toBe('wrong');
      return performance.now() - begun;
    };
    // By turns, so that a busy machine slows both alike; medians, so that one pause does not tell.
    for (let n = 0; n < 11; n += 1) {
      known?.push(await time(person.email, n));
      unknown?.push(await time('nobody-here@example.com', n));
    }
    const ratio = median(unknown ?? []) / median(known ?? []);
    expect(ratio).toBeGreaterThan(0.6);
    expect(ratio).toBeLessThan(1.67);
  });
});

describe('500 log-ins at once', () => {
  it('wait in a line with an end, are told to come back beyond it, and hold up nobody else', async () => {
    const flood = inTurns(500, 500, async (n) => {
      const headers = { ...ownPage, 'x-forwarded-for': `198.51.${n >> 8}.${n & 255}`, 'x-forwarded-proto': 'https' };
      return proxied.ask('POST', '/api/v1/session', {
        headers,
        body: { email: `u${n}@example.com`, password: 'a guess' },
      });
    });
    let isOver = false;
    const answers = flood.finally(() => {
      isOver = true;
    });
    const waits: number[] = [];
    // Not more: the questions themselves take the processor that the flood needs.
    while (!isOver && waits.length < 60) {
      const begun = performance.now();
      await world.ask('GET', '/health/live');
      waits.push(performance.now() - begun);
    }
    const all = await answers;
    const byStatus = (status: number) => all.filter((answer) => answer.status === status);
    expect(byStatus(401).length).toBeGreaterThanOrEqual(64);
    expect(byStatus(401).length + byStatus(429).length).toBe(500);
    const seconds = byStatus(429).map((answer) => Number(answer.headers['retry-after']));
    for (const one of seconds) expect(one).toBeGreaterThan(0);
    // Not all to the same second, when they would come as a flood again.
    expect(new Set(seconds).size).toBeGreaterThan(2);
    // A loop that was held up by hashing would answer nothing at all meanwhile.
    expect(waits.length).toBeGreaterThan(20);
    expect(median(waits)).toBeLessThan(250);
  }, 120_000);
});

describe('a page of another site', () => {
  const foreign = [
    { 'sec-fetch-site': 'cross-site' },
    { 'sec-fetch-site': 'same-site' },
    { origin: 'https://evil.example' },
    { origin: 'null' },
    {},
  ] as const;

  it('changes nothing by a person’s cookie, whichever route it calls', async () => {
    const { cookie = '' } = await (await world.addPerson(shop.workspaceId, 'owner')).logIn();
    const unsafe = world.app.apiRoutes.filter(({ method, access }) => method !== 'GET' && access !== 'anyone');
    expect(unsafe.length).toBeGreaterThan(20);
    for (const route of unsafe) {
      const { id, body } = routeCases[routeName(route)] ?? {};
      const path = pathOf(route.url, id ? shop.ids[id] : '');
      for (const site of foreign) {
        const answer = await world.ask(route.method, path, { headers: { cookie, ...site }, body });
        expect([routeName(route), answer.json().code]).toEqual([routeName(route), 'wrong-origin']);
      }
    }
  });

  it('begins and ends no session, and joins nothing', async () => {
    const token = 'x'.repeat(43);
    const bodies = {
      'POST /session': { email: 'a@example.com', password },
      'POST /session/code': { stepToken: token, code: '123456' },
      'DELETE /session': undefined,
      'POST /invitations/look': { token },
      'POST /invitations/accept': { token, name: 'x', password },
    };
    for (const [route, body] of Object.entries(bodies)) {
      const [method = '', path] = route.split(' ');
      for (const headers of foreign) {
        const answer = await world.ask(method, `/api/v1${path}`, { headers, body });
        expect([route, answer.json().code]).toEqual([route, 'wrong-origin']);
      }
    }
  });
});

describe('a session that somebody planted', () => {
  it('is never the one that a log-in begins', async () => {
    const planted = 'p'.repeat(43);
    const person = await world.addPerson(shop.workspaceId, 'agent');
    const headers = { ...ownPage, cookie: `switchyard=${planted}; __Host-switchyard=${planted}` };
    const answer = await world.ask('POST', '/api/v1/session', { headers, body: { email: person.email, password } });
    expect(answer.status).toBe(200);
    expect(String(answer.headers['set-cookie'])).not.toContain(planted);
    expect((await world.ask('GET', '/api/v1/me', { headers })).status).toBe(401);
  });
});
