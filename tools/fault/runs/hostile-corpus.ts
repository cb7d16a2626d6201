/** What a stranger, a broken proxy or another tenant may send, and the answers that are right (design promise 4). */
import { createHmac, randomBytes } from 'node:crypto';
import { deflateSync, gzipSync } from 'node:zlib';
import { bodyOf, textContent } from '../load/bodies.ts';
import type { Shop } from '../stage/shops.ts';

export interface HostileRequest {
  readonly name: string;
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
  readonly isChunked?: boolean;
  /** 0: closed without an answer. */
  readonly answers: readonly number[];
}

const bodyLimit = 3 * 1024 * 1024;
const sender = '4915599000001';

export function hostileRequests(shops: readonly Shop[], round: number): HostileRequest[] {
  const [mine, other] = [shops[0]!, shops[1]!];
  return [
    ...bodies(mine, round),
    ...encodings(mine),
    ...signatures(mine, other, round),
    ...addresses(mine, round),
    foreign(mine, other, round),
  ];
}

/** Ids of the messages that name another account's number, of so many rounds. */
export function foreignIds(rounds: number): string[] {
  return Array.from({ length: rounds }, (_, round) => `wamid.foreign.${round}`);
}

function post(
  shop: Shop,
  name: string,
  body: Buffer,
  answers: readonly number[],
  more: Partial<HostileRequest> = {},
): HostileRequest {
  const headers = { 'content-type': 'application/json', ...signature(shop.appSecret, body), ...more.headers };
  return { name, method: 'POST', path: shop.path, body, answers, ...more, headers };
}

function signature(secret: string, body: Buffer, algorithm: 'sha256' | 'sha1' = 'sha256'): Record<string, string> {
  return { 'x-hub-signature-256': `${algorithm}=${createHmac(algorithm, secret).update(body).digest('hex')}` };
}

function message(shop: Shop, id: string, text = 'hola'): Buffer {
  const target = { ...shop, displayNumber: shop.number.slice(1) };
  return bodyOf(target, { id, from: sender, seconds: Math.floor(Date.now() / 1_000), content: textContent(text) });
}

/** Signed as they should be: what can be stored is acknowledged, whatever is in it. */
function bodies(shop: Shop, round: number): HostileRequest[] {
  const padded = (bytes: number) => {
    const body = message(shop, `wamid.padded.${round}.${bytes}`);
    return Buffer.concat([body, Buffer.alloc(bytes - body.length, ' ')]);
  };
  const deep = Buffer.from(`${'['.repeat(100_000)}${']'.repeat(100_000)}`);
  const inText = (id: string, text: string) => message(shop, `wamid.${id}.${round}`, text);
  const patched = (id: string, from: string, to: string) =>
    Buffer.from(message(shop, `wamid.${id}.${round}`, 'place').toString().replace(from, to));
  return [
    post(shop, 'as large as allowed', padded(bodyLimit), [200]),
    post(shop, 'a byte too large', padded(bodyLimit + 1), [413]),
    post(shop, 'too large, in chunks', padded(bodyLimit + 1), [413], { isChunked: true }),
    post(shop, '40 MB in chunks', Buffer.alloc(40 * 1024 * 1024, ' '), [413], { isChunked: true }),
    post(shop, '100,000 deep', deep, [200]),
    post(shop, 'no JSON', Buffer.from('<xml/>'), [200]),
    post(shop, 'an empty body', Buffer.alloc(0), [200]),
    post(shop, 'another type', Buffer.from('"text"'), [200]),
    post(shop, 'cut short', message(shop, `wamid.cut.${round}`).subarray(0, 150), [200]),
    post(shop, 'bytes that are no text', Buffer.from([0xff, 0xfe, 0x00, 0x80]), [200]),
    post(shop, 'a byte order mark', Buffer.concat([Buffer.from([0xef, 0xbb, 0xbf]), inText('bom', 'hola')]), [200]),
    post(shop, 'a NUL in the text', inText('nul', 'a\u0000b'), [200]),
    post(shop, 'half a character', patched('surrogate', 'place', '\\ud800'), [200]),
    post(shop, 'a number too long', patched('long', '"type":"text"', '"type":"text","n":12345678901234567890'), [200]),
    post(shop, '__proto__', patched('proto', '"type":"text"', '"type":"text","__proto__":{"isAdmin":true}'), [200]),
    post(shop, 'a key twice', patched('twice', '"type":"text"', '"type":"text","type":"text"'), [200]),
    post(shop, 'a form for JSON', message(shop, `wamid.form.${round}`), [200], {
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
    }),
  ];
}

function encodings(shop: Shop): HostileRequest[] {
  const plain = Buffer.alloc(10 * 1024 * 1024);
  const packed = { gzip: gzipSync(plain), deflate: deflateSync(plain), br: Buffer.from('not brotli') };
  return Object.entries(packed).map(([encoding, body]) =>
    post(shop, `packed by ${encoding}`, body, [415], { headers: { 'content-encoding': encoding } }),
  );
}

function signatures(shop: Shop, other: Shop, round: number): HostileRequest[] {
  const body = message(shop, `wamid.unsigned.${round}`);
  const good = signature(shop.appSecret, body)['x-hub-signature-256']!;
  const wrong = (name: string, value: string) =>
    post(shop, `signature ${name}`, body, [401], { headers: { 'x-hub-signature-256': value } });
  return [
    { ...post(shop, 'no signature', body, [401]), headers: { 'content-type': 'application/json' } },
    wrong('empty', ''),
    wrong('without its name', good.slice('sha256='.length)),
    wrong('too short', good.slice(0, -2)),
    wrong('of another secret', signature('another', body)['x-hub-signature-256']!),
    wrong("of another tenant's secret", signature(other.appSecret, body)['x-hub-signature-256']!),
    wrong('by SHA-1', signature(shop.appSecret, body, 'sha1')['x-hub-signature-256']!),
    wrong('of the same, written anew', signature(shop.appSecret, Buffer.from(` ${body}`))['x-hub-signature-256']!),
  ];
}

function addresses(shop: Shop, round: number): HostileRequest[] {
  const body = message(shop, `wamid.nowhere.${round}`);
  const at = (name: string, path: string, answers: readonly number[] = [404]) =>
    post(shop, name, body, answers, { path });
  const { token, path } = shop;
  return [
    at('a guessed token', path.replace(token, `wh_${randomBytes(32).toString('base64url')}`)),
    at('nearly the token', path.replace(token, `${token.slice(0, -1)}${token.endsWith('A') ? 'B' : 'A'}`)),
    at("the token at another provider's door", path.replace('/meta/', '/twilio/')),
    at('the token at another channel', path.replace('/whatsapp/', '/instagram/')),
    at('no token', path.replace(token, '')),
    at('a path upwards', `/webhooks/meta/whatsapp/../../../etc/passwd`),
    {
      ...post(shop, 'a challenge with another word', Buffer.alloc(0), [403]),
      method: 'GET',
      path: `${path}?hub.mode=subscribe&hub.verify_token=guess&hub.challenge=<script>alert(1)</script>`,
    },
    { ...post(shop, 'another method', Buffer.alloc(0), [405]), method: 'DELETE' },
  ];
}

/** Signed with its own secret, and naming another tenant's number: taken, and set aside. */
function foreign(mine: Shop, other: Shop, round: number): HostileRequest {
  const body = message({ ...mine, phoneNumberId: other.phoneNumberId, wabaId: other.wabaId }, `wamid.foreign.${round}`);
  return post(mine, "another tenant's number", body, [200]);
}
