/** Starting, refusing to start, stopping, and coming back after kill -9: the program as a person runs it. */
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freePorts } from '../../../tools/free-ports.ts';
import {
  isAlive,
  type RunningSwitchyard,
  runSwitchyard,
  type Settings,
  startSwitchyard,
} from '../support/switchyard-process.ts';
import { asSuperuser, startInNewFolder } from '../support/test-cluster.ts';

/** The server's own and its five stand-ins'. */
const portsOfDemo = 6;

let home: string;
let port: number;

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'switchyard-whole-'));
  // The database's own system user must be able to pass through.
  await chmod(home, 0o755);
  port = await freePorts(portsOfDemo);
});

afterAll(() => rm(home, { recursive: true, force: true }));

describe('a server with its demo', () => {
  let settings: Settings;
  let server: RunningSwitchyard;

  beforeAll(async () => {
    settings = { SWITCHYARD_DATA: join(home, 'demo'), PORT: String(port) };
    server = await startSwitchyard(settings);
  });

  afterAll(async () => {
    await server.end('SIGTERM');
  });

  it('lets commands work beside it, and a second one says in one line that it runs', async () => {
    const second = await runSwitchyard(['start'], settings);
    expect(second).toMatchObject({ status: 1, stdout: '' });
    expect(second.stderr).toMatch(new RegExp(`^switchyard: Switchyard runs at http://127.0.0.1:${port} already.*\\n$`));
    const workspaces = JSON.parse((await runSwitchyard(['workspace', 'list', '--json'], settings)).stdout);
    expect(workspaces).toMatchObject({ workspaces: [{ slug: 'demo', name: 'Demo shop' }] });
  });

  it('answers a customer in the name of the shop, and shows the whole way of the message', async () => {
    const acted = await runSwitchyard(['simulate', '--text', 'hola', '--name', 'Ana', '--json'], settings);
    expect(JSON.parse(acted.stdout)).toMatchObject({ outcome: 'posted', status: 200 });
    const hops = await until(async () => {
      const listed = JSON.parse(
        (await runSwitchyard(['deliveries', 'list', '--workspace', 'demo', '--json'], settings)).stdout,
      );
      const first = listed.deliveries.at(-1)?.id;
      if (!first) return null;
      const shown = await runSwitchyard(['deliveries', 'show', first, '--workspace', 'demo', '--json'], settings);
      const found: { kind: string; detail: string | null }[] = JSON.parse(shown.stdout).delivery.hops;
      return found.some(({ kind }) => kind === 'receipt') ? found : null;
    });
    expect(hops.map(({ kind }) => kind)).toEqual(expect.arrayContaining(['received', 'turn', 'queued', 'attempt']));
    expect(hops.find(({ kind }) => kind === 'queued')?.detail).toContain('Ana! Te damos la bienvenida a Demo shop');
  });

  it('has connections of its own for gateway, turns, claims and console', async () => {
    const [, , , databasePort] = (await postmasterFile(settings)).split('\n');
    const password = await readFile(join(settings.SWITCHYARD_DATA!, 'postgres-password'), 'utf8');
    const names = await asSuperuser(
      `postgres://postgres:${password.trim()}@127.0.0.1:${databasePort}/postgres`,
      async (client) =>
        (await client.query('SELECT DISTINCT application_name AS name FROM pg_stat_activity')).rows.map(
          ({ name }) => name,
        ),
    );
    const ours = ['switchyard gateway', 'switchyard app', 'switchyard worker', 'switchyard console app'];
    expect(names).toEqual(expect.arrayContaining(ours));
  });

  it('comes back after kill -9, adopting the database, and no stand-in that was left keeps its port', async () => {
    const before = await postmasterOf(settings);
    await server.end('SIGKILL');
    expect(isAlive(before)).toBe(true);
    await until(async () => ((await freePortsAt(port)) ? true : null));
    server = await startSwitchyard({ ...settings, STOP_NOTICE_MS: '2000' });
    expect(await postmasterOf(settings)).toBe(before);
    const acted = await runSwitchyard(['simulate', '--provider', 'evolution', '--text', 'hola', '--json'], settings);
    expect(JSON.parse(acted.stdout)).toMatchObject({ outcome: 'posted', status: 200 });
  });

  it('told to stop, says so to a balancer while webhooks are still stored; told twice, stops no worse', async () => {
    const ready = `http://127.0.0.1:${port}/health/ready`;
    const started = performance.now();
    const ending = server.end('SIGTERM');
    const unready = await until(async () => {
      const answer = await fetch(ready);
      return answer.ok ? null : { status: answer.status, page: await answer.json() };
    });
    expect(unready).toMatchObject({ status: 503, page: { unready: ['stopping'] } });
    expect(await customerWrites()).toMatchObject({ outcome: 'posted', status: 200 });
    // Later than the twin of a Ctrl-C may come.
    await until(async () => (performance.now() - started > 1_200 ? true : null));
    process.kill(server.pid, 'SIGTERM');
    expect((await ending).status).toBe(0);
    // Ours within ten, then its database and its stand-ins.
    expect(performance.now() - started).toBeLessThan(15_000);
    await expect(postmasterOf(settings)).rejects.toThrow('ENOENT');
    expect(await freePortsAt(port)).toBe(true);
    server = await startSwitchyard(settings);
  });

  async function customerWrites(): Promise<unknown> {
    const body = {
      provider: 'meta',
      number: '+15550100101',
      from: '+15550109001',
      content: { type: 'text', text: 'x' },
    };
    const init = { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) };
    return (await fetch(`http://127.0.0.1:${port + 1}/control/inbound`, init)).json();
  }

  it('stops cleanly on Ctrl-C, its database and its stand-ins with it', async () => {
    expect((await server.end('SIGINT')).status).toBe(0);
    // Its own note of itself is gone: it was shut down, not cut off.
    await expect(postmasterOf(settings)).rejects.toThrow('ENOENT');
    expect(await freePortsAt(port)).toBe(true);
    server = await startSwitchyard(settings);
  });
});

describe('a start that cannot be', () => {
  it.each([
    ['a wrong setting', { ROLES: 'cook' }, 'ROLES="cook"'],
    ['a database that nobody answers for', { DATABASE_URL: 'postgres://u:hunter2@127.0.0.1:1/x' }, 'DATABASE_URL'],
    ['a Redis that nobody answers for', { REDIS_URL: 'redis://127.0.0.1:1' }, 'REDIS_URL'],
    ['a master key that is none', { SWITCHYARD_KEY: 'short' }, 'the master key k1 is not 32 bytes'],
  ])('is refused for %s', async (_name, wrong, told) => {
    await expectRefusal(wrong, told);
  });

  it('is refused for a port in use, the server’s or a stand-in’s', async () => {
    for (const offset of [0, 3]) {
      const stranger = createServer((socket) => socket.destroy()).listen(port + 10 + offset, '127.0.0.1');
      await new Promise((resolve) => stranger.once('listening', resolve));
      try {
        await expectRefusal({ PORT: String(port + 10) }, `port ${port + 10 + offset} on 127.0.0.1 is taken`);
      } finally {
        await new Promise((resolve) => stranger.close(resolve));
      }
    }
  });

  it('is refused for a key file that others may read', async () => {
    const folder = join(home, 'open-key');
    await mkdir(folder);
    await writeFile(join(folder, 'master.key'), 'x', { mode: 0o644 });
    await expectRefusal({ SWITCHYARD_DATA: folder }, 'is open to others');
  });

  it('is refused for a data folder of another PostgreSQL, which stays as it is', async () => {
    const folder = join(home, 'newer');
    await mkdir(join(folder, 'postgres', 'data'), { recursive: true });
    await writeFile(join(folder, 'postgres', 'data', 'PG_VERSION'), '99\n');
    await expectRefusal({ SWITCHYARD_DATA: folder }, 'was made by PostgreSQL 99');
    expect(await readFile(join(folder, 'postgres', 'data', 'PG_VERSION'), 'utf8')).toBe('99\n');
  });

  it('is refused for a database that may lose what it has acknowledged, and for a wrong password', async () => {
    const { cluster, close } = await startInNewFolder({ isDurable: false });
    try {
      await expectRefusal({ DATABASE_URL: cluster.ownerUrl }, 'fsync=off');
      const wrong = new URL(cluster.ownerUrl);
      wrong.password = 'hunter2';
      await expectRefusal({ DATABASE_URL: wrong.href }, 'password authentication failed');
    } finally {
      await close();
    }
  });
});

/** One line, exit status 1, and none of its ports held afterwards. */
async function expectRefusal(wrong: Settings, told: string): Promise<void> {
  const settings = { SWITCHYARD_DATA: join(home, 'refused'), PORT: String(port + 20), ...wrong };
  const ended = await runSwitchyard(['start'], settings);
  expect(ended).toMatchObject({ status: 1, stdout: '' });
  expect(ended.stderr).toMatch(/^switchyard: [^\n]+\n$/);
  expect(ended.stderr).toContain(told);
  expect(ended.stderr).not.toContain('hunter2');
  if (!wrong.PORT) expect(await freePortsAt(port + 20)).toBe(true);
  await expect(postmasterOf(settings)).rejects.toThrow('ENOENT');
}

async function postmasterOf(settings: Settings): Promise<number> {
  return Number((await postmasterFile(settings)).split('\n')[0]);
}

function postmasterFile(settings: Settings): Promise<string> {
  return readFile(join(settings.SWITCHYARD_DATA!, 'postgres', 'data', 'postmaster.pid'), 'utf8');
}

async function freePortsAt(first: number): Promise<boolean> {
  const tries = Array.from(
    { length: portsOfDemo },
    (_, index) =>
      new Promise<boolean>((resolve) => {
        const server = createServer();
        server.once('error', () => resolve(false));
        server.listen(first + index, '127.0.0.1', () => server.close(() => resolve(true)));
      }),
  );
  return (await Promise.all(tries)).every(Boolean);
}

/** Asks until there is something; the runner's own time limit ends it. */
async function until<T>(ask: () => Promise<T | null>): Promise<T> {
  for (;;) {
    const found = await ask();
    if (found !== null) return found;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
