/** At WhatsApp's own door: what a stranger, a broken proxy or another tenant may send, and the answers that are right (design promise 4). */
import { createHash, randomBytes } from 'node:crypto';
import { deflateSync, gzipSync } from 'node:zlib';
import type { Shop } from '../../stage/shops.ts';
import {
  bodyLimit,
  graphSignature,
  type HostileRequest,
  mebibyte,
  metaMessage,
  post,
  senders,
  type Targets,
} from './request.ts';

const header = 'x-hub-signature-256';

export function metaRequests(targets: Targets): HostileRequest[] {
  const { mine, other, round } = targets;
  return [
    ...large(mine, round),
    ...bodies(mine, round),
    ...poison(mine, round),
    ...encodings(mine),
    ...signatures(mine, other, round),
    ...repeated(mine, other, round),
    ...addresses(mine, round),
    ...foreign(mine, other, round),
  ];
}

function large(shop: Shop, round: number): HostileRequest[] {
  const padded = (from: string, id: string, bytes: number) => {
    const body = metaMessage(shop, from, id);
    return Buffer.concat([body, Buffer.alloc(bytes - body.length, ' ')]);
  };
  const whole = `wamid.hostile.whole.${round}`;
  const over = padded(senders.forged, `wamid.hostile.over.${round}`, bodyLimit + 1);
  const hundred = round === 0 ? [Buffer.alloc(100 * mebibyte, ' ')] : [];
  return [
    post(shop, 'as large as allowed', padded(senders.odd, whole, bodyLimit), [200], { takes: [whole] }),
    post(shop, 'a byte too large', over, [413]),
    post(shop, 'too large, in chunks', over, [413], { isChunked: true }),
    ...hundred.flatMap((body) => [
      post(shop, '100 MB', body, [413]),
      post(shop, '100 MB in chunks', body, [413], { isChunked: true }),
    ]),
  ];
}

/** Signed as they should be: what can be stored is acknowledged, whatever is in it, and what can be read takes effect. */
function bodies(shop: Shop, round: number): HostileRequest[] {
  const readable = (name: string, change: (body: string) => string, type = 'application/json') => {
    const id = `wamid.hostile.${name.replaceAll(' ', '-')}.${round}`;
    const body = Buffer.from(change(metaMessage(shop, senders.odd, id, 'place').toString()));
    const headers = { ...graphSignature(shop.appSecret, body), ...(type === '' ? {} : { 'content-type': type }) };
    return { ...post(shop, name, body, [200], { takes: [id] }), headers };
  };
  const asIs = (body: string) => body;
  const unreadable = (name: string, body: Buffer) => post(shop, name, body, [200], { setsAside: 'unreadable' });
  const message = (id: string) => metaMessage(shop, senders.foreign, `wamid.hostile.${id}.${round}`);
  return [
    unreadable('100,000 deep', Buffer.from(`${'['.repeat(100_000)}${']'.repeat(100_000)}`)),
    unreadable('no JSON', Buffer.from('<xml/>')),
    unreadable('an empty body', Buffer.alloc(0)),
    unreadable('another type', Buffer.from('"text"')),
    unreadable('cut short', message('cut').subarray(0, 150)),
    unreadable('bytes that are no text', Buffer.from([0xff, 0xfe, 0x00, 0x80])),
    unreadable('UTF-16', Buffer.from(message('utf16').toString(), 'utf16le')),
    readable('a byte order mark', (body) => `\ufeff${body}`),
    readable('NUL in the text', (body) => body.replace('place', 'a\\u0000b')),
    readable('half a character', (body) => body.replace('place', '\\ud800')),
    readable('a number too long', (body) => body.replace('"type":"text"', '"type":"text","n":12345678901234567890')),
    readable('__proto__', (body) => body.replace('"type":"text"', '"type":"text","__proto__":{"isAdmin":true}')),
    readable('a key twice', (body) => body.replace('"type":"text"', '"type":"text","type":"text"')),
    readable('a form for JSON', asIs, 'application/x-www-form-urlencoded'),
    readable('as multipart', asIs, 'multipart/form-data; boundary=x'),
    readable('without a type', asIs, ''),
  ];
}

/** Authentic, and reading or handling it fails: a dead letter with a reason, and its neighbours in the same body are handled. */
function poison(shop: Shop, round: number): HostileRequest[] {
  const ids = ['before', 'after'].map((place) => `wamid.hostile.${place}.${round}`);
  // Incompressible, and so too long for any index.
  const long = Array.from({ length: 150 }, (_, i) => createHash('sha256').update(`${round}.${i}`).digest('hex')).join(
    '',
  );
  const flood = { object: 'whatsapp_business_account', entry: Array.from({ length: 400_000 }, () => 0) };
  return [
    post(shop, 'an id that no index takes', batch(shop, [ids[0]!, long, ids[1]!]), [200], {
      takes: ids,
      setsAside: 'failed',
    }),
    post(shop, 'half a million parts', Buffer.from(JSON.stringify(flood)), [200], { setsAside: 'unreadable' }),
  ];
}

/** Several messages of one customer in one body. */
function batch(shop: Shop, ids: readonly string[]): Buffer {
  const [first, ...others] = ids.map((id) => JSON.parse(metaMessage(shop, senders.odd, id).toString()));
  const { messages } = first.entry[0].changes[0].value;
  messages.push(...others.map((one) => one.entry[0].changes[0].value.messages[0]));
  return Buffer.from(JSON.stringify(first));
}

function encodings(shop: Shop): HostileRequest[] {
  const plain = Buffer.alloc(10 * mebibyte);
  const packed = {
    gzip: gzipSync(plain),
    deflate: deflateSync(plain),
    br: Buffer.from('not brotli'),
    'gzip, gzip': gzipSync(gzipSync(plain)),
    GZIP: gzipSync(plain).subarray(0, 500),
    'identity, gzip': gzipSync(plain),
    nonsense: Buffer.from('{}'),
  };
  return Object.entries(packed).map(([encoding, body]) =>
    post(shop, `packed by ${encoding}`, body, [415], { headers: { 'content-encoding': encoding } }),
  );
}

function signatures(shop: Shop, other: Shop, round: number): HostileRequest[] {
  const body = metaMessage(shop, senders.forged, `wamid.hostile.unsigned.${round}`);
  const good = graphSignature(shop.appSecret, body)[header]!;
  const wrong = (name: string, value: string) =>
    post(shop, `signature ${name}`, body, [401], { headers: { [header]: value } });
  return [
    { ...post(shop, 'no signature', body, [401]), headers: { 'content-type': 'application/json' } },
    wrong('empty', ''),
    wrong('without its name', good.slice('sha256='.length)),
    wrong('too short', good.slice(0, -2)),
    wrong('in capitals', good.toUpperCase()),
    wrong('twice', `${good}, ${good}`),
    wrong('of another secret', graphSignature('another', body)[header]!),
    wrong('of no secret', graphSignature('', body)[header]!),
    wrong("of another tenant's secret", graphSignature(other.appSecret, body)[header]!),
    wrong('by SHA-1', graphSignature(shop.appSecret, body, 'sha1')[header]!),
    wrong('of the same, written anew', graphSignature(shop.appSecret, Buffer.from(` ${body}`))[header]!),
  ];
}

/** A sound request, overheard and sent again: it changes nothing; at another's door it is worth nothing. */
function repeated(mine: Shop, other: Shop, round: number): HostileRequest[] {
  const id = `wamid.hostile.repeated.${round}`;
  const sound = post(mine, 'a sound one', metaMessage(mine, senders.odd, id), [200], { takes: [id] });
  return [
    sound,
    { ...sound, name: 'a sound one again' },
    { ...sound, name: 'a sound one, eight times at once', copies: 8 },
    { ...sound, name: "a sound one at another tenant's door", path: other.path, answers: [401], takes: [] },
    { ...sound, name: 'a sound one at the shared door', path: '/whatsapp/webhook' },
  ];
}

function addresses(shop: Shop, round: number): HostileRequest[] {
  const body = metaMessage(shop, senders.forged, `wamid.hostile.nowhere.${round}`);
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

/** Signed with its own secret, and naming another tenant's number: taken, and set aside; what is its own beside it is handled. */
function foreign(mine: Shop, other: Shop, round: number): HostileRequest[] {
  const theirs = { ...mine, phoneNumberId: other.phoneNumberId, wabaId: other.wabaId };
  const written = (shop: Shop, from: string, id: string) =>
    JSON.parse(metaMessage(shop, from, `wamid.hostile.${id}.${round}`).toString());
  const [own, others] = [written(mine, senders.odd, 'own'), written(theirs, senders.foreign, 'mixed')];
  const mixed = Buffer.from(JSON.stringify({ ...own, entry: [...others.entry, ...own.entry] }));
  const stranger = metaMessage(theirs, senders.foreign, `wamid.hostile.foreign.${round}`);
  return [
    post(mine, "another tenant's number", stranger, [200], { setsAside: 'foreign-account' }),
    post(mine, "its own beside another tenant's", mixed, [200], {
      takes: [`wamid.hostile.own.${round}`],
      setsAside: 'foreign-account',
    }),
  ];
}
