import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, test } from 'vitest';
import { createReach, parseRange } from '../../server/src/channels/http/address/index.ts';
import { createFetchFile, type MediaLimits, mediaLimits } from './media-client.ts';

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
  createFetchFile(createReach([parseRange(place.host)!]), { ...mediaLimits, ...limits })(place.url);

const refused = { name: 'NotSent', code: 'invalid' };

test('brings the bytes', async () => {
  await using place = await openPlace((_request, response) => response.end(Buffer.from([1, 2, 3])));
  expect(await fetchFrom(place)).toEqual(Buffer.from([1, 2, 3]));
});

test('gives up at the deadline where a body never ends', async () => {
  await using place = await openPlace((_request, response) => response.write('a drop'));
  await expect(fetchFrom(place, { totalMs: 100 })).rejects.toMatchObject(refused);
});

test('gives up at the deadline where nothing is answered', async () => {
  await using place = await openPlace(() => undefined);
  await expect(fetchFrom(place, { totalMs: 100 })).rejects.toMatchObject(refused);
});

test('stops where a file has more bytes than are taken', async () => {
  await using place = await openPlace((_request, response) => response.write(Buffer.alloc(2_000)));
  await expect(fetchFrom(place, { maxBytes: 1_999 })).rejects.toMatchObject({ ...refused, message: /over 1999 bytes/ });
});

test('makes no call to an address inside, however it is written', async () => {
  await using place = await openPlace((_request, response) => response.end('secret'));
  const fetchFile = createFetchFile(createReach([]));
  const port = new URL(place.url).port;
  for (const host of ['127.0.0.1', 'localhost', '[::ffff:127.0.0.1]', '2130706433', '169.254.169.254'])
    await expect(fetchFile(`http://${host}:${port}/file`)).rejects.toMatchObject(refused);
  for (const text of ['file:///etc/passwd', '/etc/passwd', 'data:text/plain,x', ''])
    await expect(fetchFile(text)).rejects.toMatchObject(refused);
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

test.each([204, 404, 500])('takes no file from an answer %i', async (status) => {
  await using place = await openPlace((_request, response) => response.writeHead(status).end());
  await expect(fetchFrom(place)).rejects.toMatchObject({ ...refused, message: /could not be fetched/ });
});
