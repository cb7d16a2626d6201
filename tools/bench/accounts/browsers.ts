/** Browsers that wait for live events: each change is timed from the request that asks for it to every browser's event. */
import { type ClientRequest, request } from 'node:http';
import { type AccountId, toPublicId, type WorkspaceId } from '@switchyard/contract';
import { Pool } from 'undici';
import type { SeededWorkspace } from './seed.ts';

export interface EventOrder {
  readonly ports: readonly number[];
  readonly workspaces: readonly SeededWorkspace[];
  readonly subscribersPerWorkspace: number;
  readonly changes: number;
  readonly changesPerSecond: number;
}

export interface EventReport {
  readonly changes: number;
  readonly subscribers: number;
  readonly processes: number;
  /** From the request that changes the status to the event in the browser, all of them. */
  readonly latenciesMs: readonly number[];
  /** Events that never came. */
  readonly lost: number;
  /** Events of another workspace's account. */
  readonly crossed: number;
}

/** How long an event may be on its way before it counts as lost. */
const patienceMs = 5_000;

interface Change {
  readonly workspaceId: WorkspaceId;
  readonly sentAt: number;
  readonly waiting: Set<Browser>;
}

interface Browser {
  readonly workspace: SeededWorkspace;
  readonly request: ClientRequest;
}

export async function measureEvents(order: EventOrder): Promise<EventReport> {
  const changes = new Map<string, Change>();
  const latenciesMs: number[] = [];
  let crossed = 0;
  const owners = new Map(
    order.workspaces.flatMap(({ workspaceId, accounts }) =>
      accounts.map(({ accountId }) => [wire(accountId), workspaceId]),
    ),
  );
  const heard = (browser: Browser, id: string) => {
    if (owners.get(id) !== browser.workspace.workspaceId) crossed += 1;
    const change = changes.get(id);
    if (change?.waiting.delete(browser)) latenciesMs.push(performance.now() - change.sentAt);
  };
  const browsers = await openBrowsers(order, heard);
  const callers = order.ports.map((port) => new Pool(`http://127.0.0.1:${port}`, { connections: 16 }));
  let lost = 0;
  const asked = new Map<string, Promise<void>>();
  const began = performance.now();
  for (let number = 0; number < order.changes; number += 1) {
    await until(began + (number * 1_000) / order.changesPerSecond);
    const workspace = order.workspaces[number % order.workspaces.length]!;
    const turn = Math.floor(number / order.workspaces.length);
    const { accountId } = workspace.accounts[turn % workspace.accounts.length]!;
    const id = wire(accountId);
    await asked.get(id);
    lost += await missingOf(changes.get(id));
    const waiting = new Set(browsers.filter((browser) => browser.workspace === workspace));
    changes.set(id, { workspaceId: workspace.workspaceId, sentAt: performance.now(), waiting });
    const act = Math.floor(turn / workspace.accounts.length) % 2 === 0 ? 'reconnect' : 'disconnect';
    const answer = ask(callers[number % callers.length]!, `/api/v1/accounts/${id}/${act}`, workspace.apiKey);
    asked.set(id, answer);
    answer.catch(() => {
      // Whoever waits for it next, or the end, hears of it.
    });
  }
  await Promise.all(asked.values());
  for (const change of changes.values()) lost += await missingOf(change);
  for (const browser of browsers) browser.request.destroy();
  await Promise.all(callers.map((caller) => caller.close()));
  const processes = order.ports.length;
  return { changes: order.changes, subscribers: browsers.length, processes, latenciesMs, lost, crossed };
}

/** How many browsers have not heard of it when there is no more waiting for them. */
async function missingOf(change: Change | undefined): Promise<number> {
  if (!change) return 0;
  const givenUpAt = change.sentAt + patienceMs;
  while (change.waiting.size > 0 && performance.now() < givenUpAt) await until(performance.now() + 10);
  return change.waiting.size;
}

async function ask(caller: Pool, path: string, apiKey: string): Promise<void> {
  const answer = await caller.request({
    method: 'POST',
    path,
    headers: { authorization: `Bearer ${apiKey}`, 'content-type': 'application/json' },
    body: '{}',
  });
  const text = await answer.body.text();
  if (answer.statusCode !== 200) throw new Error(`${path}: ${answer.statusCode} ${text}`);
}

/** Spread over the processes; each has been greeted. */
function openBrowsers(order: EventOrder, heard: (browser: Browser, id: string) => void): Promise<Browser[]> {
  const wanted = order.workspaces.flatMap((workspace) =>
    Array.from({ length: order.subscribersPerWorkspace }, () => workspace),
  );
  return Promise.all(
    wanted.map((workspace, index) => openBrowser(order.ports[index % order.ports.length]!, workspace, heard)),
  );
}

function openBrowser(
  port: number,
  workspace: SeededWorkspace,
  heard: (browser: Browser, id: string) => void,
): Promise<Browser> {
  return new Promise((resolve, reject) => {
    const headers = { authorization: `Bearer ${workspace.apiKey}`, accept: 'text/event-stream' };
    const stream = request({ host: '127.0.0.1', port, path: '/api/v1/events', headers, agent: false });
    const browser: Browser = { workspace, request: stream };
    stream.on('error', reject);
    stream.on('response', (response) => {
      let rest = '';
      response.setEncoding('utf8');
      response.on('error', () => {
        // We hang up ourselves at the end.
      });
      response.on('data', (chunk: string) => {
        const blocks = (rest + chunk).split('\n\n');
        rest = blocks.pop() ?? '';
        for (const block of blocks) {
          if (block.includes('event: hello')) resolve(browser);
          const id = /^data: \{"topic":"account","id":"([^"]+)"\}$/m.exec(block)?.[1];
          if (id) heard(browser, id);
        }
      });
    });
    stream.end();
  });
}

function wire(accountId: AccountId): string {
  return toPublicId('account', accountId);
}

function until(at: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, Math.max(0, at - performance.now())));
}
