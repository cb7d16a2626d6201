import { createCipheriv, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Readable } from 'node:stream';
import * as library from '@whiskeysockets/baileys';
import { afterAll, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { createFetchFile, type FileToFetch, fileToFetch, liesWithWhatsApp, readUpTo } from './received-file.ts';

const mediaKey = new Uint8Array(32).fill(7);
/** What the host was asked for, not answered yet, by path. */
const asked = new Map<string, ServerResponse>();
const host = createServer((request, answer) => asked.set(request.url ?? '', answer));
const clocks: AbortController[] = [];

beforeAll(async () => {
  host.listen(0, '127.0.0.1');
  await once(host, 'listening');
});
afterAll(() => {
  host.closeAllConnections();
  host.close();
});
beforeEach(() => {
  asked.clear();
  clocks.length = 0;
});

/** Its requests for WhatsApp's hosts go to ours, and its clocks run out when they are told. */
function createFetch() {
  return createFetchFile(library, {
    fetch: (url, init) => fetch(new URL(new URL(url).pathname, hostUrl()), init),
    startClock: () => {
      const clock = new AbortController();
      clocks.push(clock);
      return clock.signal;
    },
  });
}

function hostUrl(): string {
  return `http://127.0.0.1:${(host.address() as AddressInfo).port}`;
}

function image(path: string): FileToFetch {
  return fileToFetch({ imageMessage: { url: `https://mmg.whatsapp.net${path}`, mediaKey, fileLength: 10 } })!;
}

async function sealed(file: Buffer): Promise<Buffer> {
  const { cipherKey, iv } = await library.getMediaKeys(mediaKey, 'image');
  const cipher = createCipheriv('aes-256-cbc', cipherKey, iv);
  return Buffer.concat([cipher.update(file), cipher.final(), Buffer.alloc(10)]);
}

const isAsked = (path: string) =>
  vi.waitFor(() => {
    expect([...asked.keys()]).toContain(path);
    return asked.get(path)!;
  }, 10_000);

test.each([
  [{ url: 'https://mmg.whatsapp.net/v/t62.7118-24/1?a=b', directPath: '/v/t62.7118-24/1?a=b' }, true],
  [{ url: 'https://media-mad1-1.cdn.whatsapp.net/v/1', directPath: null }, true],
  [{ url: null, directPath: '/v/1' }, true],
  [{ url: 'https://169.254.169.254/latest', directPath: null }, false],
  [{ url: 'https://169.254.169.254/', directPath: '/latest' }, false],
  [{ url: 'https://mmg.whatsapp.net/v/1', directPath: '@example.com/v/1' }, false],
  [{ url: 'https://mmg.whatsapp.net/v/1', directPath: ':8080/v/1' }, false],
  [{ url: 'https://mmg.whatsapp.net/v/1', directPath: '.example.com/v/1' }, false],
  [{ url: 'http://mmg.whatsapp.net/v/1', directPath: null }, false],
  [{ url: 'https://whatsapp.net.example.com/v/1', directPath: null }, false],
  [{ url: 'nowhere', directPath: null }, false],
])('%o lies with WhatsApp: %s', (address, isTheirs) => {
  expect(liesWithWhatsApp(address)).toBe(isTheirs);
});

test('asks nobody for a file that its sender says to lie elsewhere', async () => {
  const file = { url: `${hostUrl()}/`, directPath: '/v/1', mediaKey, fileLength: 10 };
  const fetched = createFetch()('acc', fileToFetch({ imageMessage: file })!);
  await expect(fetched).rejects.toThrow('elsewhere than with WhatsApp');
  expect(asked.size).toBe(0);
});

test('reads a file as the library does', async () => {
  const file = randomBytes(100_003);
  const body = await sealed(file);
  const ours = createFetch()('acc', image('/ours'));
  (await isAsked('/ours')).end(body);
  expect((await ours)?.equals(file)).toBe(true);
  const theirs = library
    .downloadContentFromMessage({ mediaKey, url: `${hostUrl()}/theirs` }, 'image')
    .then((stream) => readUpTo(stream, 1_000_000));
  (await isAsked('/theirs')).end(body);
  expect((await theirs)?.equals(file)).toBe(true);
});

test('gives nothing where there is more than may be passed on, and fails where there is none or the connection breaks', async () => {
  const fetchFile = createFetch();
  const large = fetchFile('acc', image('/large'));
  (await isAsked('/large')).end(await sealed(Buffer.alloc(1_800_001)));
  expect(await large).toBeNull();
  const missing = expect(fetchFile('acc', image('/missing'))).rejects.toThrow('HTTP 404');
  (await isAsked('/missing')).writeHead(404).end('none');
  await missing;
  const cut = expect(fetchFile('acc', image('/cut'))).rejects.toThrow();
  const answer = await isAsked('/cut');
  answer.writeHead(200, { 'content-length': 1_000_000 }).write(Buffer.alloc(70_000), () => answer.destroy());
  await cut;
});

test('fetches eight at once and four of one account; a clock starts with its turn, and ends the request', async () => {
  const fetchFile = createFetch();
  const file = Buffer.from('a photo');
  const body = await sealed(file);
  const paths = ['a', 'b', 'c'].flatMap((owner) => [1, 2, 3, 4, 5].map((n) => `/${owner}/${n}`));
  const fetched = paths.map(async (path) =>
    fetchFile(path.slice(1, 2), image(path)).catch((error: Error) => error.name),
  );
  const first = ['/a/1', '/a/2', '/a/3', '/a/4', '/b/1', '/b/2', '/b/3', '/b/4'];
  await vi.waitFor(() => expect([...asked.keys()].sort()).toEqual(first), 10_000);
  expect(clocks).toHaveLength(8);
  const isEnded = once(asked.get('/a/1')!, 'close');
  for (const clock of clocks.slice(0, 8)) clock.abort();
  await isEnded;
  for (const path of paths.filter((one) => !first.includes(one))) (await isAsked(path)).end(body);
  expect(await Promise.all(fetched)).toEqual(paths.map((path) => (first.includes(path) ? 'AbortError' : file)));
});

test('reads no more than may be passed on, whatever length was claimed', async () => {
  const whole = () => Readable.from([Buffer.from('abc'), Buffer.from('de')]);
  expect(await readUpTo(whole(), 5)).toEqual(Buffer.from('abcde'));
  const stream = whole();
  expect(await readUpTo(stream, 4)).toBeNull();
  expect(stream.destroyed).toBe(true);
});
