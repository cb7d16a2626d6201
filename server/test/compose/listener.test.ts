/** The one listener: webhooks are answered before the API is there, and nobody is cut off at its end. */
import { request } from 'node:http';
import { text } from 'node:stream/consumers';
import { afterEach, expect, test } from 'vitest';
import { silentLog } from '#kernel';
import { freePort } from '../../../tools/free-ports.ts';
import { barePages } from '../../src/compose/serving/bare-pages.ts';
import { type Listener, openListener } from '../../src/compose/serving/listener.ts';

const graceMs = 10_000;
let listener: Listener;
afterEach(() => listener.close(0));

/** `hold` keeps the answer to a webhook back until it resolves. */
async function open(hold: Promise<void> = Promise.resolve()): Promise<Listener> {
  const port = await freePort();
  const config = { port, host: '127.0.0.1', localUrl: `http://127.0.0.1:${port}` };
  const gateway = {
    handles: (url: string) => url.startsWith('/webhooks/'),
    handle: (_request: unknown, response: { end(text: string): unknown }) =>
      void hold.then(() => response.end('stored')),
  };
  listener = await openListener({ config, gateway });
  return listener;
}

function ask(path: string): Promise<{ readonly status: number; readonly text: string }> {
  return new Promise((resolve, reject) => {
    const asked = request(`${listener.url}${path}`, { agent: false }, (answer) => {
      const status = answer.statusCode ?? 0;
      text(answer).then((said) => resolve({ status, text: said }), reject);
    });
    asked.once('error', reject).end();
  });
}

test('answers a webhook while the API is still to come, and what is asked of the API waits for it', async () => {
  await open();
  const waiting = ask('/api/v1/accounts');
  expect(await ask('/webhooks/meta/whatsapp/t')).toEqual({ status: 200, text: 'stored' });
  listener.serveOthers((_request, response) => response.end('the API'));
  expect(await waiting).toEqual({ status: 200, text: 'the API' });
});

test('stops listening at once, and waits for the answer under way', async () => {
  const { promise: held, resolve: letGo } = Promise.withResolvers<void>();
  await open(held);
  const arrived = new Promise<void>((resolve) => listener.server.once('request', () => resolve()));
  const answer = ask('/webhooks/meta/whatsapp/t');
  await arrived;
  const closing = listener.close(graceMs);
  await expect(ask('/webhooks/meta/whatsapp/t')).rejects.toThrow('ECONNREFUSED');
  letGo();
  expect((await answer).text).toBe('stored');
  await closing;
});

test('says with each answer that its connection ends, once the end is announced, and still answers', async () => {
  const { url } = await open();
  listener.serveOthers((_request, response) => response.writeHead(200, ['X-Kept', 'yes']).end('the API'));
  const asked = async (path: string) => {
    const answer = await fetch(`${url}${path}`);
    await answer.arrayBuffer();
    return [answer.status, answer.headers.get('connection')];
  };
  expect(await asked('/webhooks/meta/whatsapp/t')).toEqual([200, 'keep-alive']);
  listener.announceEnd();
  for (const path of ['/webhooks/meta/whatsapp/t', '/api']) expect(await asked(path)).toEqual([200, 'close']);
});

test('cuts off what is still open when its time is up', async () => {
  await open(new Promise(() => undefined));
  const arrived = new Promise<void>((resolve) => listener.server.once('request', () => resolve()));
  const cut = expect(ask('/webhooks/meta/whatsapp/t')).rejects.toThrow('socket hang up');
  await arrived;
  await listener.close(0);
  await cut;
});

test('without the role api has health and metrics, and says of the rest that it is not here', async () => {
  await open();
  let unready: string[] = [];
  const pages = {
    version: '1.2.3',
    unready: async () => unready,
    metrics: async () => 'switchyard_x 1\n',
    log: silentLog,
  };
  listener.serveOthers(barePages(pages));
  expect(JSON.parse((await ask('/health/live')).text)).toEqual({ status: 'live', version: '1.2.3' });
  expect((await ask('/health/ready?x=1')).status).toBe(200);
  unready = ['database: away'];
  const away = await ask('/health/ready');
  expect([away.status, JSON.parse(away.text)]).toEqual([503, { status: 'unready', unready }]);
  expect((await ask('/metrics')).text).toBe('switchyard_x 1\n');
  const other = await ask('/api/v1/accounts');
  expect([other.status, JSON.parse(other.text)]).toMatchObject([
    404,
    { code: 'not-found', detail: expect.stringContaining('ROLES') },
  ]);
});
