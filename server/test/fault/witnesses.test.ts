/** The witnesses beside the database: what they are told, and what they make of it. */
import type { ChildProcess } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { startLoad } from '../../../tools/fault/load/load.ts';
import { StandIn } from '../../../tools/fault/stage/stand-in.ts';

async function listening<T>(answer: RequestListener, use: (port: number) => Promise<T>): Promise<T> {
  const server = createServer(answer);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  try {
    return await use((server.address() as AddressInfo).port);
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

const target = { path: '/hook', appSecret: 's', phoneNumberId: '1', displayNumber: '2', wabaId: '3', canary: 'word' };

it.for([
  ['a no to the repetition of a webhook', 401, { refused: 2, failures: { 401: 2 } }],
  ['an error at it, which would be tried again', 503, { refused: 0, failures: { 503: 2 } }],
] as const)('the load notes %s', async ([, status, noted]) => {
  const folder = mkdtempSync(join(tmpdir(), 'switchyard-load-'));
  const logFile = join(folder, 'acked.ndjson');
  const seen = new Set<string>();
  const answer: RequestListener = (request, response) => {
    let text = '';
    request.on('data', (chunk: Buffer) => (text += chunk.toString()));
    request.on('end', () => {
      response.writeHead(seen.has(text) ? status : 200).end();
      seen.add(text);
    });
  };
  await listening(answer, async (port) => {
    const load = startLoad({
      ...{ targets: [target], ports: [port], conversations: 2, total: 2, ratePerSecond: 1_000, seed: 1, logFile },
      ...{ duplicateShare: 1, earlyShare: 0 },
    });
    try {
      expect(await load.done(10_000)).toMatchObject({ sent: 2, acked: 2, repeats: 2, ...noted });
    } finally {
      load.end();
    }
  });
  expect(readFileSync(logFile, 'utf8').trim().split('\n')).toHaveLength(2);
  rmSync(folder, { recursive: true });
});

it('the provider’s ledger knows the furthest status answered 200, and what was refused or given up', async () => {
  const receipt = (messageId: string, what: string, status: number | null) => ({
    ...{ kind: 'webhook', number: '+1', messageId, what, status, together: 3 },
  });
  const entries = [
    { kind: 'send', number: '+1', customer: '+2', messageId: 'one', correlation: 'att', text: 'hola' },
    receipt('one', 'read', 200),
    receipt('one', 'delivered', 200),
    receipt('two', 'sent', 200),
    receipt('two', 'delivered', 503),
    receipt('two', 'delivered', null),
    receipt('three', 'sent', 401),
    { kind: 'lost', number: '+1', messageId: 'three', what: 'sent' },
  ].map((entry, index) => ({ seq: index + 1, ...entry }));
  const answer: RequestListener = ({ url = '' }, response) => {
    const since = Number(new URL(url, 'http://phone').searchParams.get('since'));
    const page = { entries: entries.slice(since), next: entries.length, forgotten: 0 };
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(page));
  };
  await listening(answer, async (port) => {
    const ended = { exitCode: 0 } as ChildProcess;
    const standIn = new StandIn(ended, { phone: `http://127.0.0.1:${port}`, graph: '' });
    await standIn.read();
    expect([...standIn.receipts]).toEqual([
      ['one', 3],
      ['two', 1],
    ]);
    const { sends, refusedWebhooks, lostWebhooks } = standIn;
    expect({ sends: sends.length, refusedWebhooks, lostWebhooks }).toEqual({
      sends: 1,
      refusedWebhooks: 1,
      lostWebhooks: 1,
    });
  });
});
