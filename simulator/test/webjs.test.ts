import { createHmac } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { type Stage, setStage } from './support/stage.ts';

const NUMBER = '+34910000001';
const CUSTOMER = '+34600111222';

let stage: Stage;
beforeAll(async () => {
  stage = await setStage();
});
afterAll(() => stage.close());
beforeEach(async () => {
  await stage.control('DELETE', 'numbers');
  await stage.faults();
  await stage.register({
    provider: 'webjs',
    number: NUMBER,
    ids: { session: 'shop' },
    secrets: { apiKey: 'k', hmacKey: 'h' },
  });
});

function call(method: string, path: string, body?: unknown, key = 'k') {
  return stage.call(`${stage.simulator.urls.webjs}/sessions/${path}`, {
    method,
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
}

const send = (body: Record<string, unknown>) => call('POST', 'shop/messages', { to: { phone: CUSTOMER }, ...body });

async function customerWrites(content: Record<string, unknown>, extra: Record<string, unknown> = {}) {
  const answer = await stage.inbound({ provider: 'webjs', number: NUMBER, from: CUSTOMER, content, ...extra });
  const received = stage.receiver.all.at(-1)!;
  return { answer, received, body: JSON.parse(received.text) };
}

test('signs time stamp, nonce and raw body', async () => {
  const { received, body, answer } = await customerWrites({ type: 'text', text: 'hola' });
  const timestamp = String(received.headers['x-webhook-timestamp']);
  const nonce = String(received.headers['x-webhook-nonce']);
  const expected = createHmac('sha256', 'h').update(
    Buffer.concat([Buffer.from(`${timestamp}.${nonce}.`), received.body]),
  );
  expect(received.headers['x-webhook-hmac']).toBe(expected.digest('hex'));
  expect(received.headers['x-webhook-hmac-algorithm']).toBe('sha256');
  expect(timestamp).toMatch(/^\d{13}$/);
  expect(body).toMatchObject({
    event: 'message',
    session: 'shop',
    me: { id: '34910000001@c.us' },
    payload: { fromMe: false, chatId: '34600111222@c.us', phone: CUSTOMER, type: 'text', body: 'hola' },
  });
  expect(body.id).toMatch(/^evt_/);
  expect(body.payload.id).toBe(`false_34600111222@c.us_${answer.json.messageId}`);
});

test.each([
  ['media', { type: 'image', caption: 'c' }, 'message', { type: 'image', body: 'c', media: { mimetype: 'image/png' } }],
  ['a place', { type: 'location', latitude: 1, longitude: 2 }, 'message', { location: { latitude: 1, longitude: 2 } }],
  [
    'a reaction',
    { type: 'reaction', targetId: 'X', emoji: '🙏' },
    'message.reaction',
    { reaction: { text: '🙏', messageId: 'true_34600111222@c.us_X' } },
  ],
  ['an edit', { type: 'edit', targetId: 'X', text: 'n' }, 'message.edited', { body: 'n' }],
  [
    'a deletion',
    { type: 'delete', targetId: 'X' },
    'message.revoked',
    { revokedMessageId: 'false_34600111222@c.us_X' },
  ],
  ['an own message', { type: 'echo', text: 'me' }, 'message', { fromMe: true, body: 'me' }],
])('posts %s', async (_name, content, event, payload) => {
  const { body } = await customerWrites(content);
  expect(body.event).toBe(event);
  expect(body.payload).toMatchObject(payload);
});

test('names someone without a phone by the LID', async () => {
  const { body } = await customerWrites({ type: 'text', text: 'a' }, { from: undefined, lid: '762' });
  expect(body.payload).toMatchObject({ chatId: '762@lid', lid: '762' });
  expect(body.payload.phone).toBeUndefined();
});

test('takes a send once for each id and acknowledges by name', async () => {
  const message = { id: 'att-1', content: { type: 'text', text: 'hello' } };
  const answer = await send(message);
  expect(answer.status).toBe(201);
  expect(answer.json).toEqual({ messageId: 'att-1', timestamp: expect.any(Number) });
  const acks = await stage.receiver.wait((received) => received.text.includes('true_34600111222@c.us_att-1'), 3);
  expect(acks.map((received) => JSON.parse(received.text).payload.ackName)).toEqual(['SERVER', 'DEVICE', 'READ']);
  expect((await send(message)).json).toEqual(answer.json);
  const kinds = (await stage.ledger('provider=webjs')).filter(
    (entry) => entry.messageId === 'att-1' && entry.kind !== 'webhook',
  );
  expect(kinds.map((entry) => entry.kind)).toEqual(['send', 'repeat']);
});

test('refuses with the codes of the agreement', async () => {
  expect((await send({ content: { type: 'text' } })).json.error.code).toBe('invalid');
  expect((await send({ to: {}, content: { type: 'text', text: 'a' } })).json.error.code).toBe('invalid');
  expect((await call('POST', 'other/messages', {})).json.error.code).toBe('not_found');
  expect((await call('POST', 'shop/messages', {}, 'wrong')).status).toBe(401);
  for (const code of ['not_on_whatsapp', 'restricted', 'quota']) {
    await stage.faults({ kind: 'error', code });
    expect((await send({ content: { type: 'text', text: 'a' } })).json.error.code).toBe(code);
  }
  await stage.faults();
  await call('POST', 'shop/stop');
  expect((await send({ content: { type: 'text', text: 'a' } })).json.error.code).toBe('not_connected');
  expect((await call('GET', 'shop')).json.status).toBe('STOPPED');
});

test('ticks what was marked as read, by either form of the id', async () => {
  const { answer, body } = await customerWrites({ type: 'text', text: 'a' });
  expect((await call('POST', 'shop/read', { messageId: body.payload.id })).status).toBe(200);
  expect((await stage.ledger('kind=read')).at(-1)).toMatchObject({
    messageId: answer.json.messageId,
    customer: '34600111222',
  });
});
