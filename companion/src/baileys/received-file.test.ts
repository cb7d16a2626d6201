import { once } from 'node:events';
import { createServer } from 'node:net';
import { Readable } from 'node:stream';
import * as library from '@whiskeysockets/baileys';
import { expect, test } from 'vitest';
import { fileToFetch, liesWithWhatsApp, readUpTo, receivedFile } from './received-file.ts';

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
  let calls = 0;
  const listener = createServer(() => {
    calls += 1;
  }).listen(0, '127.0.0.1');
  await once(listener, 'listening');
  const { port } = listener.address() as { port: number };
  const url = `https://127.0.0.1:${port}/`;
  const file = { url, directPath: '/v/1', mediaKey: new Uint8Array(32), fileLength: 10 };
  await expect(receivedFile(library, fileToFetch({ imageMessage: file })!)).rejects.toThrow(
    'elsewhere than with WhatsApp',
  );
  expect(calls).toBe(0);
  listener.close();
});

test('reads no more than may be passed on, whatever length was claimed', async () => {
  const whole = () => Readable.from([Buffer.from('abc'), Buffer.from('de')]);
  expect(await readUpTo(whole(), 5)).toEqual(Buffer.from('abcde'));
  const stream = whole();
  expect(await readUpTo(stream, 4)).toBeNull();
  expect(stream.destroyed).toBe(true);
});
