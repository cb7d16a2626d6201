import { createServer } from 'node:net';
import { afterAll, describe, expect, test } from 'vitest';
import {
  anywhere,
  callProvider,
  closeProviderConnections,
  judgeBareAnswer,
  maxAnswerBytes,
  maxRetryAfterMs,
  retryAfterMs,
} from './index.ts';
import { answerJson, type Behaviour, startLocalProvider } from './local-provider.ts';

afterAll(closeProviderConnections);

const call = {
  method: 'POST',
  path: '/v1/messages',
  headers: { 'content-type': 'application/json' },
  body: '{}',
} as const;
const patient = { connectMs: 2_000, headersMs: 5_000, bodyMs: 5_000, totalMs: 8_000 };

async function closedPort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  const address = server.address();
  await new Promise((closed) => server.close(closed));
  return typeof address === 'object' && address ? address.port : 0;
}

test('gives the complete answer, whatever its status, and sends once what it was given', async () => {
  await using provider = await startLocalProvider(answerJson(418, { a: 1 }, { 'retry-after': '7' }));
  const network = { ...provider.network(), baseUrl: `${provider.network().baseUrl}/evo/` };
  const answer = await callProvider({ ...call, headers: { authorization: 'Bearer x' } }, network);
  expect(answer).toMatchObject({ kind: 'answered', status: 418, headers: { 'retry-after': '7' } });
  expect(answer.kind === 'answered' && Buffer.from(answer.body).toString()).toBe('{"a":1}');
  expect(provider.calls).toHaveLength(1);
  expect(provider.calls[0]).toMatchObject({ method: 'POST', path: '/evo/v1/messages', body: '{}' });
  expect(provider.calls[0]?.headers.authorization).toBe('Bearer x');
});

test('follows no redirect', async () => {
  await using provider = await startLocalProvider((response) => response.writeHead(302, { location: '/other' }).end());
  expect(await callProvider(call, provider.network())).toMatchObject({ kind: 'answered', status: 302 });
  expect(provider.calls).toHaveLength(1);
});

describe('before the request left, surely unsent', () => {
  const unreachable = (code: string, retry: 'later' | 'never' = 'later') => ({
    kind: 'unreachable',
    failure: { code, isCertain: true, retry: { kind: retry } },
  });
  const signal = new AbortController().signal;

  test('a refused connection', async () => {
    const baseUrl = `http://127.0.0.1:${await closedPort()}`;
    expect(await callProvider(call, { baseUrl, reach: anywhere, timeouts: patient, signal })).toMatchObject(
      unreachable('connection-refused'),
    );
  });

  test('a name that does not exist', async () => {
    const network = { baseUrl: 'http://nowhere.invalid', reach: anywhere, timeouts: patient, signal };
    expect(await callProvider(call, network)).toMatchObject(unreachable('dns-failed'));
  });

  test('a failed TLS handshake', async () => {
    await using provider = await startLocalProvider(answerJson(200, {}));
    const baseUrl = provider.network().baseUrl.replace('http:', 'https:');
    const answer = await callProvider(call, { baseUrl, reach: anywhere, timeouts: patient, signal });
    expect(answer).toMatchObject({ kind: 'unreachable', failure: { isCertain: true } });
    expect(provider.calls).toHaveLength(0);
  });

  test('a TLS handshake that never ends, however long the sender would wait for an answer', async () => {
    const silent = createServer(() => {});
    await new Promise<void>((listening) => silent.listen(0, '127.0.0.1', listening));
    const address = silent.address();
    const baseUrl = `https://127.0.0.1:${typeof address === 'object' && address ? address.port : 0}`;
    const answer = await callProvider(call, {
      baseUrl,
      reach: anywhere,
      timeouts: { ...patient, connectMs: 300 },
      signal,
    });
    silent.close();
    expect(answer).toMatchObject(unreachable('connect-timeout'));
    const hurried = { ...patient, connectMs: 60_000, totalMs: 100 };
    expect(await callProvider(call, { baseUrl, reach: anywhere, timeouts: hurried, signal })).toMatchObject({
      kind: 'unreachable',
    });
  });

  test('a signal that has been given already, a base URL that is none, a header that is none', async () => {
    await using provider = await startLocalProvider(answerJson(200, {}));
    expect(await callProvider(call, provider.network({}, AbortSignal.abort()))).toMatchObject(unreachable('aborted'));
    for (const baseUrl of ['', 'graph.facebook.com', 'file:///etc/passwd', 'ftp://x']) {
      const answer = await callProvider(call, { baseUrl, reach: anywhere, timeouts: patient, signal });
      expect(answer).toMatchObject(unreachable('base-url-invalid', 'never'));
    }
    const malformed = { ...call, headers: { authorization: 'a\r\nb: c' } };
    expect(await callProvider(malformed, provider.network())).toMatchObject(unreachable('request-malformed', 'never'));
    expect(provider.calls).toHaveLength(0);
  });
});

describe('after the request left, uncertain', () => {
  const uncertain: readonly (readonly [string, string, Behaviour, object])[] = [
    ['no answer begins', 'headers-timeout', () => {}, { headersMs: 100 }],
    ['the answer stops half-way', 'body-timeout', (response) => response.write('{"mess'), { bodyMs: 100 }],
    ['the total time is over', 'total-timeout', drip, { bodyMs: 2_000, totalMs: 300 }],
    ['the connection is reset before the headers', 'connection-lost', (response) => response.destroy(), {}],
    ['the connection is reset after the headers', 'connection-lost', resetAfterHeaders, {}],
    ['the answer is shorter than it says', 'connection-lost', truncated, {}],
    ['the answer is too big', 'answer-too-big', huge, {}],
    ['the headers never end', 'answer-too-big', endlessHeaders, {}],
    ['the answer is no HTTP', 'answer-lost', (response) => response.socket?.end('nonsense\r\n\r\n'), {}],
  ];

  test.each(uncertain)('%s', async (_name, code, behave, timeouts) => {
    await using provider = await startLocalProvider(behave);
    const answer = await callProvider(call, provider.network({ ...patient, ...timeouts }));
    expect(answer).toMatchObject({ kind: 'uncertain', failure: { code, isCertain: false, retry: { kind: 'never' } } });
    expect(provider.calls).toHaveLength(1);
  });

  test('the sender is told to stop while waiting', async () => {
    const stop = new AbortController();
    await using provider = await startLocalProvider(() => stop.abort());
    const answer = await callProvider(call, provider.network(patient, stop.signal));
    expect(answer).toMatchObject({ kind: 'uncertain', failure: { code: 'aborted', isCertain: false } });
  });

  function drip(...[response]: Parameters<Behaviour>) {
    response.writeHead(200);
    const timer = setInterval(() => response.write(' '), 20);
    response.on('close', () => clearInterval(timer));
  }
  function resetAfterHeaders(...[response]: Parameters<Behaviour>) {
    response.writeHead(200, { 'content-length': '100' });
    response.write('{"messages"', () => response.destroy());
  }
  function truncated(...[response]: Parameters<Behaviour>) {
    response.writeHead(200, { 'content-length': '100' });
    response.write('{}', () => response.socket?.end());
  }
  function huge(...[response]: Parameters<Behaviour>) {
    response.writeHead(200);
    response.end('x'.repeat(maxAnswerBytes + 1));
  }
  function endlessHeaders(...[response]: Parameters<Behaviour>) {
    response.socket?.write(`HTTP/1.1 200 OK\r\n${`x-filler: ${'y'.repeat(1_000)}\r\n`.repeat(100)}`);
  }
});

test.each([
  ['7', 7_000],
  ['0', 0],
  ['1.5', 1_500],
  ['Wed, 21 Oct 2026 07:28:30 GMT', 30_000],
  ['Wed, 21 Oct 2026 07:27:00 GMT', 0],
  ['99999999999', maxRetryAfterMs],
  ['Fri, 31 Dec 9999 23:59:59 GMT', maxRetryAfterMs],
  ['-5', undefined],
  ['soon', undefined],
  ['', undefined],
  [undefined, undefined],
])('reads Retry-After %j as %j ms', (header, ms) => {
  expect(retryAfterMs(header, Date.parse('2026-10-21T07:28:00Z'))).toBe(ms);
});

test.each([
  [200, 'uncertain', 'answer-unreadable', 'never'],
  [202, 'uncertain', 'answer-unreadable', 'never'],
  [302, 'refused', 'redirected', 'never'],
  [400, 'refused', 'request-refused', 'never'],
  [401, 'refused', 'credentials-refused', 'never'],
  [403, 'refused', 'permission-missing', 'never'],
  [404, 'refused', 'request-refused', 'never'],
  [408, 'uncertain', 'answer-unreadable', 'never'],
  [429, 'refused', 'rate-limited', 'later'],
  [500, 'uncertain', 'answer-unreadable', 'never'],
  [503, 'uncertain', 'answer-unreadable', 'never'],
])('judges a bare %i as %s', (status, kind, code, retry) => {
  const answer = { kind: 'answered', status, headers: {}, body: new Uint8Array() } as const;
  expect(judgeBareAnswer(answer, 0)).toMatchObject({
    kind,
    failure: { code, retry: { kind: retry }, isCertain: kind === 'refused' },
  });
});
