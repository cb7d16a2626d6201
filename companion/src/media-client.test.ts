import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, test } from 'vitest';
import { createReach, parseRange } from '../../server/src/channels/http/address/index.ts';
import { createWithFile, type MediaLimits, mediaLimits, type WithFile } from './media-client.ts';

interface Place extends AsyncDisposable {
  readonly url: string;
  readonly host: string;
  readonly calls: readonly string[];
}

async function openPlace(answer: RequestListener): Promise<Place> {
  const calls: string[] = [];
  const server = createServer((request, response) => {
    calls.push(request.url ?? '');
    answer(request, response);
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    url: `http://${host}/file`,
    host,
    calls,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((closed) => server.close(closed));
    },
  };
}

const fetchFrom = (place: Place, limits: Partial<MediaLimits> = {}) =>
  fetchWith(createWithFile(createReach([parseRange(place.host)!]), { ...mediaLimits, ...limits }), place.url);

const fetchWith = (withFile: WithFile, url: string) => withFile({ url, session: 'first' }, async (file) => file);

const later = { name: 'NotSent', code: 'file_unavailable', message: 'the file could not be fetched from its address' };
const refused = { name: 'NotSent', code: 'invalid' };

test('brings the bytes', async () => {
  await using place = await openPlace((_request, response) => response.end(Buffer.from([1, 2, 3])));
  expect(await fetchFrom(place)).toEqual(Buffer.from([1, 2, 3]));
});

test('gives up at the deadline where a body never ends', async () => {
  await using place = await openPlace((_request, response) => response.write('a drop'));
  await expect(fetchFrom(place, { totalMs: 100 })).rejects.toMatchObject(later);
});

test('gives up at the deadline where nothing is answered', async () => {
  await using place = await openPlace(() => undefined);
  await expect(fetchFrom(place, { totalMs: 100 })).rejects.toMatchObject(later);
});

test('stops where a file has more bytes than are taken', async () => {
  await using place = await openPlace((_request, response) => response.write(Buffer.alloc(2_000)));
  await expect(fetchFrom(place, { maxBytes: 1_999 })).rejects.toMatchObject({ ...refused, message: /over 1999 bytes/ });
});

test('makes no call to an address inside, however it is written', async () => {
  await using place = await openPlace((_request, response) => response.end('secret'));
  const withFile = createWithFile(createReach([]));
  const port = new URL(place.url).port;
  for (const host of ['127.0.0.1', 'localhost', '[::ffff:127.0.0.1]', '2130706433', '169.254.169.254'])
    await expect(fetchWith(withFile, `http://${host}:${port}/file`)).rejects.toMatchObject(refused);
  for (const text of ['file:///etc/passwd', '/etc/passwd', 'data:text/plain,x', ''])
    await expect(fetchWith(withFile, text)).rejects.toMatchObject(refused);
  expect(place.calls).toEqual([]);
});

test('follows no redirect', async () => {
  await using inside = await openPlace((_request, response) => response.end('secret'));
  await using place = await openPlace((_request, response) => {
    response.writeHead(302, { location: inside.url }).end();
  });
  await expect(fetchFrom(place)).rejects.toMatchObject(refused);
  expect([place.calls, inside.calls]).toEqual([['/file'], []]);
});

test.each([
  [204, refused],
  [403, refused],
  [404, refused],
  [429, later],
  [500, later],
  [502, later],
])('takes no file from an answer %i', async (status, failure) => {
  await using place = await openPlace((_request, response) => response.writeHead(status).end());
  await expect(fetchFrom(place)).rejects.toMatchObject({ ...failure, message: /could not be fetched/ });
});

test('is to be asked again after a reset, in the headers or in the body, and where nobody listens', async () => {
  await using cut = await openPlace((request) => request.socket.destroy());
  await expect(fetchFrom(cut)).rejects.toMatchObject(later);
  await using half = await openPlace((_request, response) => {
    response.writeHead(200, { 'content-length': '1000' });
    response.write('half of it', () => response.destroy());
  });
  await expect(fetchFrom(half)).rejects.toMatchObject(later);
  const gone = await openPlace(() => undefined);
  await gone[Symbol.asyncDispose]();
  await expect(fetchFrom(gone)).rejects.toMatchObject(later);
});

test.each([
  ['EAI_AGAIN', later],
  ['ENOTFOUND', refused],
])('a look-up that ends with %s', async (code, failure) => {
  const error = Object.assign(new Error('no answer'), { code });
  const withFile = createWithFile(createReach([], (_name, _options, answer) => answer(error, [])));
  await expect(fetchWith(withFile, 'http://files.example/file')).rejects.toMatchObject(failure);
});

test('a name that leads inside is none to be asked again, and says no more than any other', async () => {
  const inside = [{ address: '10.0.0.1', family: 4 }];
  const withFile = createWithFile(createReach([], (_name, _options, answer) => answer(null, inside)));
  await expect(fetchWith(withFile, 'http://files.example/file')).rejects.toMatchObject({ ...later, code: 'invalid' });
});

test('holds no more files than there is room for, until they are sent; who finds no room comes again', async () => {
  await using place = await openPlace((_request, response) => response.end('file'));
  const limits = { ...mediaLimits, totalMs: 500, maxAtOnce: 2, maxOfSession: 1 };
  const withFile = createWithFile(createReach([parseRange(place.host)!]), limits);
  const sending = Promise.withResolvers<void>();
  const first = withFile({ url: place.url, session: 'first' }, () => sending.promise);
  const second = withFile({ url: place.url, session: 'first' }, async () => 'sent');
  const another = withFile({ url: place.url, session: 'second' }, async () => 'sent');
  expect(await another).toBe('sent');
  await expect(second).rejects.toMatchObject({ name: 'NotSent', code: 'file_unavailable' });
  expect(place.calls).toHaveLength(2);
  sending.resolve();
  await first;
  expect(await withFile({ url: place.url, session: 'first' }, async () => 'sent')).toBe('sent');
});
