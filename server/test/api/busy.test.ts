/** Under pressure the console's reads of many rows are slowed, before anything that customers wait for. */
import pg from 'pg';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type Furnished, furnish } from './furnish.ts';
import { type Answer, openWorld, type World } from './world.ts';

let world: World;
let shop: Furnished;
let headers: Record<string, string>;
let isPressed = false;

beforeAll(async () => {
  world = await openWorld({ isSlowingReads: () => isPressed });
  shop = await furnish(world, 'shop');
  headers = await world.addKey(shop.workspaceId);
});
afterAll(() => world.close());
afterEach(() => {
  isPressed = false;
});

const get = (path: string) => world.ask('GET', `/api/v1${path}`, { headers });

/** Reads of conversations wait for this long. */
async function whileHeld<T>(work: () => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: world.db.superuserUrl, options: '-c search_path=switchyard' });
  await client.connect();
  try {
    await client.query('BEGIN; LOCK TABLE conversations IN ACCESS EXCLUSIVE MODE');
    return await work();
  } finally {
    await client.query('ROLLBACK');
    await client.end();
  }
}

const statuses = (answers: readonly Answer[]) => answers.map(({ status }) => status).sort();

describe('under pressure', () => {
  it('two lists are answered at once, and the third is told when to come again', async () => {
    isPressed = true;
    const asked = await whileHeld(async () => {
      const asking = [1, 2, 3].map(() => get('/conversations'));
      const first = await Promise.race(asking);
      expect(first.status).toBe(503);
      expect(Number(first.headers['retry-after'])).toBeGreaterThan(0);
      expect(first.json()).toMatchObject({ code: 'busy', detail: expect.stringContaining('busy with messages') });
      // What is no list goes on, and so do the other routes' single things.
      expect((await get(`/accounts/${shop.ids.account}`)).status).toBe(200);
      return asking;
    });
    expect(statuses(await Promise.all(asked))).toEqual([200, 200, 503]);
    expect((await get('/conversations')).status).toBe(200);
  });

  it('lists that were under way before count, and a client that went away does not', async () => {
    const asked = await whileHeld(async () => {
      const asking = [get('/conversations'), get('/conversations')];
      const controller = new AbortController();
      const gone = fetch(`http://127.0.0.1:${world.port}/api/v1/conversations`, { headers, signal: controller.signal });
      controller.abort();
      await expect(gone).rejects.toThrow();
      return asking;
    });
    expect(statuses(await Promise.all(asked))).toEqual([200, 200]);
    isPressed = true;
    expect(statuses(await Promise.all([get('/conversations'), get('/deliveries')]))).toEqual([200, 200]);
  });
});

it('without pressure as many lists as come are answered', async () => {
  const asked = await whileHeld(async () => [1, 2, 3, 4].map(() => get('/conversations')));
  expect(statuses(await Promise.all(asked))).toEqual([200, 200, 200, 200]);
});
