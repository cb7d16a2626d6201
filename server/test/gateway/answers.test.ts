/** Promise 4, answer by answer, over real HTTP against a real database; and that nothing authentic is lost. */
import { randomBytes } from 'node:crypto';
import { connect } from 'node:net';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { refusalLimits } from '#accounts';
import { gatewayLimits } from '#gateway';
import { type Connected, metaBody, metaSignature, openWorld, type Sending, type World } from './world.ts';

let world: World;
let account: Connected;

beforeAll(async () => {
  world = await openWorld();
  account = await world.connect({ provider: 'meta', settings: { phoneNumberId: '106540352242922' } });
});
afterAll(() => world.close());

const json = { 'content-type': 'application/json' };

/** Sends it signed, and gives the answer and what was stored of it. */
async function sendSigned(body: Buffer | string, more: Sending = {}) {
  const bytes = Buffer.from(body);
  const headers = { ...json, ...metaSignature(bytes), ...more.headers };
  const answer = await world.send(account.path, { ...more, headers, body: bytes });
  const stored = (await world.stored()).filter((delivery) => delivery.body.equals(bytes));
  return { answer, stored };
}

describe('a signed delivery', () => {
  it('is on disk, byte for byte, when the 200 comes', async () => {
    const { answer, stored } = await sendSigned(metaBody('106540352242922', 'hola \u{1f600} \\/ é'));
    expect(answer.status).toBe(200);
    expect(stored).toHaveLength(1);
    expect(stored[0]).toMatchObject({
      accountId: account.id,
      routeKind: 'token',
      isAuthenticated: true,
      isTest: false,
      secretsSealed: null,
    });
    expect(stored[0]?.headers['content-type']).toBe('application/json');
  });

  it('is stored without the token of its path', async () => {
    const { stored } = await sendSigned(metaBody('106540352242922'));
    expect(stored[0]?.target).toBe(`/webhooks/meta/whatsapp/${'*'.repeat(account.token.length)}`);
  });

  it.each([
    ['100,000-deep JSON', '['.repeat(100_000) + ']'.repeat(100_000)],
    ['NUL', metaBody('106540352242922', 'a\u0000b')],
    ['lone surrogates', '{"text":"\\ud800 \\udc00"}'],
    ['invalid UTF-8', Buffer.from([0x7b, 0x22, 0xff, 0xfe, 0x80, 0x22, 0x7d])],
    ['truncated JSON', metaBody('106540352242922').slice(0, -40)],
    ['nothing at all', ''],
    ['random bytes', randomBytes(512)],
  ])('is stored and acknowledged when it holds %s', async (_name, body) => {
    const { answer, stored } = await sendSigned(body);
    expect(answer.status).toBe(200);
    expect(stored.length).toBeGreaterThan(0);
  });

  it.each([
    ['a wrong content type', { 'content-type': 'text/html' }],
    ['a form where JSON belongs', { 'content-type': 'application/x-www-form-urlencoded' }],
    ['a multipart type', { 'content-type': 'multipart/form-data; boundary=x' }],
  ])('is stored and acknowledged with %s', async (_name, headers) => {
    const { answer, stored } = await sendSigned(`To=1&Body=${randomBytes(4).toString('hex')}`, { headers });
    expect(answer.status).toBe(200);
    expect(stored).toHaveLength(1);
    expect(stored[0]?.headers['content-type']).toBe(headers['content-type']);
  });

  it('may be chunked, without a length', async () => {
    const { answer, stored } = await sendSigned(metaBody('106540352242922', 'x'.repeat(200_000)), { isChunked: true });
    expect(answer.status).toBe(200);
    expect(stored).toHaveLength(1);
  });

  it('knows what was answered before it came', async () => {
    const first = await sendSigned(metaBody('106540352242922'));
    const second = await sendSigned(metaBody('106540352242922'));
    expect(Number(second.stored[0]?.afterPosition)).toBeGreaterThanOrEqual(Number(first.stored[0]?.position));
  });
});

it('sends deliveries away with 503 while the server is too hard pressed, and takes them again after it', async () => {
  world.pressure.isRefusing = true;
  const { answer, stored } = await sendSigned(Buffer.from('{}'));
  expect(answer).toMatchObject({ status: 503, headers: { 'retry-after': '5' } });
  expect(stored).toHaveLength(0);
  world.pressure.isRefusing = false;
  expect((await sendSigned(Buffer.from('{}'))).answer.status).toBe(200);
});

describe('sizes', () => {
  it('takes 3 MiB to the byte, by length and chunked', async () => {
    const body = Buffer.alloc(gatewayLimits.maxBodyBytes, 'a');
    expect((await sendSigned(body)).answer.status).toBe(200);
    expect((await sendSigned(body, { isChunked: true })).answer.status).toBe(200);
  });

  it.each([
    ['by length', false],
    ['chunked', true],
  ])('refuses one byte more with 413, %s, and stores nothing of it', async (_name, isChunked) => {
    const { answer, stored } = await sendSigned(Buffer.alloc(gatewayLimits.maxBodyBytes + 1, 'b'), { isChunked });
    expect(answer.status).toBe(413);
    expect(stored).toHaveLength(0);
  });

  it('lets the client see the 413 while it still sends far more than that', async () => {
    const { answer } = await sendSigned(Buffer.alloc(12 * 1024 * 1024, 'c'), { isChunked: true });
    expect(answer.status).toBe(413);
    expect(JSON.parse(answer.text)).toMatchObject({ code: 'body_too_large' });
  });

  it('closes on a client that never ends, after it has the answer', async () => {
    const received = await endlessUpload(world.port, account.path);
    expect(received).toContain('HTTP/1.1 413');
  });
});

describe('refusals', () => {
  it.each([
    ['no signature', {}],
    ['an empty one', { 'x-hub-signature-256': '' }],
    ['the wrong secret', metaSignature('{}', 'not the secret')],
    ["the operator's secret, on an account with its own", metaSignature('{}', 'the operators app secret')],
    ['an older scheme', { 'x-hub-signature': 'sha1=0000000000000000000000000000000000000000' }],
    ['the right one over other bytes', metaSignature('{ }')],
  ])('answers 401 with %s and stores nothing', async (_name, headers) => {
    const before = (await world.stored()).length;
    const answer = await world.send(account.path, { headers: { ...json, ...headers }, body: '{}' });
    expect(answer.status).toBe(401);
    expect(await world.stored()).toHaveLength(before);
  });

  it('answers 401 to two signatures, of which one is right', async () => {
    const right = metaSignature('{}')['x-hub-signature-256'] ?? '';
    const headers = { 'x-hub-signature-256': `${right}, ${right}` };
    expect((await world.send(account.path, { headers, body: '{}' })).status).toBe(401);
  });

  it('answers 415 to a compressed body, without unpacking it', async () => {
    const packed = gzipSync(metaBody('106540352242922'));
    const { answer, stored } = await sendSigned(packed, { headers: { 'content-encoding': 'gzip' } });
    expect(answer.status).toBe(415);
    expect(stored).toHaveLength(0);
  });

  it('answers alike for an unknown token, instance, provider, channel and for another provider’s token', async () => {
    const paths = [
      '/webhooks/meta/whatsapp/no-such-token',
      '/webhooks/evolution/no-such-instance',
      '/webhooks/evolution/whatsapp',
      '/webhooks/evolution/test',
      '/webhooks/nobody/whatsapp/no-such-token',
      '/webhooks/meta/instagram/no-such-token',
      '/webhooks/meta/whatsapp',
      '/webhooks/meta/whatsapp/%ff',
      '/webhooks/__proto__/whatsapp/x',
      `/webhooks/twilio/whatsapp/${account.token}`,
      `${account.path}/messages-upsert`,
    ];
    const answers = await Promise.all(paths.map((path) => world.send(path, { body: '{}' })));
    expect(answers.map(({ status }) => status)).toEqual(paths.map(() => 404));
    expect(new Set(answers.map(({ text }) => text)).size).toBe(1);
  });

  it.each(['PUT', 'DELETE', 'PATCH', 'OPTIONS'])('answers 405 to %s', async (method) => {
    const answer = await world.send(account.path, { method });
    expect(answer).toMatchObject({ status: 405, headers: { allow: 'GET, HEAD, POST' } });
  });
});

describe('the GET handshake', () => {
  const challenge = (token: string, mode = 'subscribe') =>
    `?hub.mode=${mode}&hub.challenge=1158201444&hub.verify_token=${encodeURIComponent(token)}`;

  it('gives the challenge back as plain text', async () => {
    const answer = await world.send(account.path + challenge('a verify token'), { method: 'GET' });
    expect(answer).toMatchObject({ status: 200, text: '1158201444' });
    expect(answer.headers['content-type']).toMatch(/^text\/plain/);
  });

  it('answers HEAD alike, without the body', async () => {
    const answer = await world.send(account.path + challenge('a verify token'), { method: 'HEAD' });
    expect(answer).toMatchObject({ status: 200, text: '' });
  });

  it('answers 403 to a wrong verify token', async () => {
    expect((await world.send(account.path + challenge('a guess'), { method: 'GET' })).status).toBe(403);
  });

  it('answers 400 to what is no challenge', async () => {
    expect((await world.send(account.path, { method: 'GET' })).status).toBe(400);
  });
});

/** Writes for ever; gives what came back when the server has closed. */
function endlessUpload(port: number, path: string): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    const piece = `10000\r\n${'x'.repeat(0x10000)}\r\n`;
    let received = '';
    const write = () => {
      while (!socket.destroyed && socket.write(piece));
    };
    socket.setEncoding('utf8');
    socket.on('data', (text: string) => {
      received += text;
    });
    socket.on('drain', write);
    socket.on('error', () => {
      // The server has closed while we write: what this test waits for.
    });
    socket.on('close', () => resolve(received));
    socket.write(`POST ${path} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n`);
    write();
  });
}

describe('a run of webhooks that do not verify', () => {
  const forge = (to: Connected) =>
    world.send(to.path, { headers: { ...json, 'x-hub-signature-256': `sha256=${'0'.repeat(64)}` }, body: '{}' });
  const webhookOf = async (to: Connected) => {
    await world.accounts.flush();
    return world.accounts.find(world.workspaceId, to.id);
  };

  it('shows on an account that hears nothing else, with why, until one verifies', async () => {
    const quiet = await world.connect({ provider: 'meta', settings: { phoneNumberId: '106540352242999' } });
    for (let sent = 1; sent < refusalLimits.run; sent += 1) expect((await forge(quiet)).status).toBe(401);
    expect(await webhookOf(quiet)).toMatchObject({ webhookStatus: 'inactive', webhookError: null });
    await forge(quiet);
    expect(await webhookOf(quiet)).toMatchObject({
      webhookStatus: 'error',
      webhookError: expect.stringContaining('do not verify'),
    });
    const body = metaBody('106540352242999');
    await world.send(quiet.path, { headers: { ...json, ...metaSignature(Buffer.from(body)) }, body });
    expect(await webhookOf(quiet)).toMatchObject({ webhookStatus: 'active', webhookError: null });
    for (let sent = 0; sent < 2 * refusalLimits.run; sent += 1) await forge(quiet);
    expect(await webhookOf(quiet)).toMatchObject({ webhookStatus: 'active', webhookError: null });
  });

  it('by a shared route shows on accounts that never had an authentic one, and marks none that works', async () => {
    const ids = ['106540352242997', '106540352242998'] as const;
    const [fresh, working] = [
      await world.connect({ provider: 'meta', settings: { phoneNumberId: ids[0] } }),
      await world.connect({ provider: 'meta', settings: { phoneNumberId: ids[1] } }),
    ];
    const authentic = metaBody(ids[1]);
    const signed = { ...json, ...metaSignature(Buffer.from(authentic)) };
    expect((await world.send(working.path, { headers: signed, body: authentic })).status).toBe(200);
    await world.accounts.flush();
    await world.db.ownerQuery(`UPDATE accounts SET last_webhook_at = now() - interval '1 day' WHERE id = $1`, [
      working.id,
    ]);
    const both = JSON.stringify([JSON.parse(metaBody(ids[0])), JSON.parse(authentic)]);
    const forged = { ...json, 'x-hub-signature-256': `sha256=${'0'.repeat(64)}` };
    for (let sent = 0; sent < refusalLimits.run; sent += 1)
      expect((await world.send('/api/whatsapp/webhook', { headers: forged, body: both })).status).toBe(401);
    expect(await webhookOf(fresh)).toMatchObject({ webhookStatus: 'error' });
    expect(await webhookOf(working)).toMatchObject({ webhookStatus: 'active', webhookError: null });
    for (let sent = 0; sent < refusalLimits.run; sent += 1) await forge(working);
    expect(await webhookOf(working)).toMatchObject({ webhookStatus: 'error' });
  });
});
