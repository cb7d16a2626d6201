import type { LookupAddress } from 'node:dns';
import { createServer } from 'node:http';
import { type AddressInfo, BlockList } from 'node:net';
import { fc, test as prop } from '@fast-check/vitest';
import { afterAll, describe, expect, test } from 'vitest';
import { defaultSendTimeouts } from '../../channel.ts';
import { callProvider, closeProviderConnections } from '../send-client.ts';
import { createReach, parseOutgoingUrl, parseRange, type Resolver } from './index.ts';
import { parseAddress } from './parse-address.ts';

afterAll(closeProviderConnections);

const strict = createReach([]);
const rangesOf = (...texts: readonly string[]) => texts.map((text) => parseRange(text)!);

/** Ranges by Node's own reading of addresses, which shares nothing with ours. */
const inner = new BlockList();
for (const [network, bits] of [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.168.0.0', 16],
  ['224.0.0.0', 4],
  ['240.0.0.0', 4],
] as const) {
  inner.addSubnet(network, bits);
}

const ipv4 = fc.tuple(...[0, 1, 2, 3].map(() => fc.integer({ min: 0, max: 255 }))).map((parts) => parts.join('.'));
const innerV4 = fc
  .tuple(
    fc.constantFrom(
      '10.0',
      '127.0',
      '169.254',
      '172.16',
      '172.31',
      '192.168',
      '100.64',
      '100.127',
      '0.0',
      '224.0',
      '255.255',
    ),
    fc.integer({ min: 0, max: 255 }),
    fc.integer({ min: 0, max: 255 }),
  )
  .map((parts) => parts.join('.'));

/** The ways in which one IPv4 address can be written in a URL. */
function notations(address: string): readonly string[] {
  const parts = address.split('.').map(Number);
  const [a = 0, b = 0, c = 0, d = 0] = parts;
  const number = ((a * 256 + b) * 256 + c) * 256 + d;
  const hex = (value: number) => `0x${value.toString(16)}`;
  const octal = (value: number) => `0${value.toString(8)}`;
  return [
    address,
    `${address}.`,
    String(number),
    hex(number),
    octal(number),
    parts.map(hex).join('.'),
    parts.map(octal).join('.'),
    `${a}.${(b * 256 + c) * 256 + d}`,
    `${a}.${b}.${c * 256 + d}`,
    address.replaceAll('.', '%2e'),
    address.replaceAll('.', '。'),
    address.replaceAll(/\d/g, (digit) => String.fromCharCode(0xff10 + Number(digit))),
    `[::ffff:${address}]`,
    `[0:0:0:0:0:ffff:${address}]`,
    `[::ffff:${(a * 256 + b).toString(16)}:${(c * 256 + d).toString(16)}]`,
    `[64:ff9b::${address}]`,
    `[::${address}]`,
    `[2002:${(a * 256 + b).toString(16)}:${(c * 256 + d).toString(16)}::1]`,
  ];
}

/** As the caller sees it: is the URL refused, or its address not within the reach? A name counts as reached. */
function isCalled(url: string): boolean {
  const parsed = parseOutgoingUrl(url);
  return parsed !== undefined && strict.allows(parsed.hostname.replace(/^\[|\]$/g, ''), 80);
}

describe('an address of the inside', () => {
  prop.prop([innerV4])('is refused in whatever way it is written', (address) => {
    expect(notations(address).filter((host) => isCalled(`http://${host}/`))).toEqual([]);
  });

  prop.prop([ipv4])('is told apart from one of the internet as Node tells them', (address) => {
    if (inner.check(address)) expect(strict.allows(address, 80)).toBe(false);
    expect(strict.allows(`::ffff:${address}`, 80)).toBe(strict.allows(address, 80));
  });

  test.each([
    '::',
    '::1',
    'fc00::1',
    'fd00:ec2::254',
    'fe80::1',
    'fec0::1',
    'ff02::1',
    '100::1',
    '2001:db8::1',
    '2001::1',
    '3fff::1',
    '64:ff9b:1::1',
    '168.63.129.16',
    '192.0.0.192',
    '255.255.255.255',
    'fe80::1%lo',
    'localhost',
    '',
  ])('%s is refused', (address) => {
    expect(strict.allows(address, 443)).toBe(false);
  });

  test.each(['1.1.1.1', '157.240.1.60', '172.32.0.1', '2606:4700::1111', '2a03:2880::1', '64:ff9b::1.1.1.1'])(
    '%s, of the internet, is not',
    (address) => {
      expect(strict.allows(address, 443)).toBe(true);
    },
  );

  prop.prop([fc.ipV6()])('has one form, however its zeros are written', (address) => {
    const written = new URL(`http://[${address}]/`).hostname.slice(1, -1);
    expect(parseAddress(address)).toEqual(parseAddress(written));
    expect(strict.allows(address, 80)).toBe(strict.allows(written, 80));
  });
});

describe('the operator’s list', () => {
  const reach = createReach(rangesOf('10.1.0.0/16', '127.0.0.1:4000-4002', '[fd00::7]:8080', 'fd01::/16'));

  test.each([
    ['10.1.255.3', 80, true],
    ['::ffff:10.1.255.3', 80, true],
    ['10.2.0.1', 80, false],
    ['127.0.0.1', 4000, true],
    ['127.0.0.1', 4002, true],
    ['127.0.0.1', 4003, false],
    ['127.0.0.2', 4000, false],
    ['fd00::7', 8080, true],
    ['fd00::7', 80, false],
    ['fd01:5::1', 80, true],
    ['169.254.169.254', 80, false],
  ])('%s at port %i: %s', (address, port, isAllowed) => {
    expect(reach.allows(address, port)).toBe(isAllowed);
  });

  test.each([
    '10.0.0.0/33',
    'fd00::/129',
    '10.0.0',
    'localhost',
    '127.0.0.1:0',
    '127.0.0.1:9-8',
    '127.0.0.1:70000',
    '10.0.0.1/',
    '',
  ])('%s is no range', (text) => {
    expect(parseRange(text)).toBeUndefined();
  });
});

describe('a URL', () => {
  test.each([
    'ftp://x',
    'file:///etc/passwd',
    'gopher://x',
    'x',
    '',
    'http://',
    'http://user@1.1.1.1',
    'https://a:b@x',
    'unix:/s',
  ])('%s is not one to call', (text) => {
    expect(parseOutgoingUrl(text)).toBeUndefined();
  });
});

describe('a name', () => {
  /** Answers one list after another, as a hostile name server does. */
  function resolver(...answers: readonly (readonly string[])[]): Resolver & { asked: number } {
    const resolve = (_name: string, _options: object, answer: Parameters<Resolver>[2]) => {
      const list = answers[Math.min(resolve.asked, answers.length - 1)] ?? [];
      resolve.asked += 1;
      answer(
        null,
        list.map((address): LookupAddress => ({ address, family: address.includes(':') ? 6 : 4 })),
      );
    };
    resolve.asked = 0;
    return resolve;
  }

  async function listen(): Promise<{ readonly port: number; readonly hits: () => number; readonly close: () => void }> {
    let hits = 0;
    const server = createServer((_request, response) => {
      hits += 1;
      response.writeHead(200, { connection: 'close' }).end('{}');
    });
    await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
    const { port } = server.address() as AddressInfo;
    return { port, hits: () => hits, close: () => server.close() };
  }

  const call = { method: 'GET', path: '/', headers: {} } as const;
  const ask = (host: string, port: number, resolve: Resolver, allowed: readonly string[]) =>
    callProvider(call, {
      baseUrl: `http://${host}:${port}`,
      reach: createReach(rangesOf(...allowed), resolve),
      timeouts: defaultSendTimeouts,
      signal: new AbortController().signal,
    });
  const refused = {
    kind: 'unreachable',
    failure: { code: 'address-forbidden', retry: { kind: 'never' }, isCertain: true },
  };

  test('that leads inside is refused, and nothing is dialled', async () => {
    const target = await listen();
    expect(await ask('inside.example', target.port, resolver(['127.0.0.1']), [])).toMatchObject(refused);
    expect(await ask('localhost', target.port, resolver(['::1', '127.0.0.1']), [])).toMatchObject(refused);
    expect(target.hits()).toBe(0);
    target.close();
  });

  test('that leads outside and inside at once is refused', async () => {
    const both = resolver(['1.1.1.1', '10.0.0.1']);
    expect(await ask('both.example', 80, both, [])).toMatchObject(refused);
  });

  test('is resolved once, and dialled by the answer that was checked', async () => {
    const target = await listen();
    const turning = resolver(['127.0.0.1'], ['10.0.0.1']);
    const allowed = [`127.0.0.1:${target.port}`];
    expect(await ask('turning.example', target.port, turning, allowed)).toMatchObject({
      kind: 'answered',
      status: 200,
    });
    expect(turning.asked).toBe(1);
    expect(target.hits()).toBe(1);
    expect(await ask('turning2.example', target.port, resolver(['10.0.0.1']), allowed)).toMatchObject(refused);
    target.close();
  });

  test('that is an address itself is judged without a look-up', async () => {
    const never = resolver(['1.1.1.1']);
    for (const host of ['127.0.0.1', '2130706433', '0x7f.1', '[::ffff:7f00:1]', '[::1]', '0.0.0.0'])
      expect(await ask(host, 80, never, [])).toMatchObject(refused);
    expect(never.asked).toBe(0);
  });

  test('that nobody knows is a failed look-up, not a refusal', async () => {
    const failing: Resolver = (_name, _options, answer) =>
      answer(Object.assign(new Error('no such name'), { code: 'ENOTFOUND' }), []);
    expect(await ask('unknown.example', 80, failing, [])).toMatchObject({ failure: { code: 'dns-failed' } });
  });
});
