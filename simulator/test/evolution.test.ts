import { createHmac } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type Stage, setStage } from './support/stage.ts';

const NUMBER = '+5511900000001';
const CUSTOMER = '+5511988887777';
const GLOBAL = 'simulator-global-key';

let stage: Stage;
beforeAll(async () => {
  stage = await setStage();
});
afterAll(() => stage.close());
beforeEach(async () => {
  await stage.control('DELETE', 'numbers');
  await stage.faults();
});

function register(version: 'v1' | 'v2', extra: Record<string, unknown> = {}) {
  const ids = { instance: 'shop' };
  return stage.register({
    provider: 'evolution',
    number: NUMBER,
    version,
    ids,
    secrets: { apiKey: 'instance-key' },
    ...extra,
  });
}

function call(method: string, path: string, body?: unknown, key = 'instance-key') {
  return stage.call(stage.simulator.urls.evolution + path, {
    method,
    headers: { apikey: key, 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
}

async function customerWrites(content: Record<string, unknown>, extra: Record<string, unknown> = {}) {
  await stage.inbound({
    provider: 'evolution',
    number: NUMBER,
    from: CUSTOMER,
    profileName: 'Tomás',
    content,
    ...extra,
  });
  const received = stage.receiver.all.at(-1)!;
  return { received, body: JSON.parse(received.text) };
}

describe('webhooks of Evolution', () => {
  test('v2 carries the key in the body, the instance’s id and the secret headers', async () => {
    await register('v2', { headers: { 'x-secret': 's3' } });
    const { received, body } = await customerWrites({ type: 'text', text: 'oi' });
    expect(body).toMatchObject({
      event: 'messages.upsert',
      instance: 'shop',
      apikey: 'instance-key',
      destination: stage.receiver.url,
      sender: '5511900000001@s.whatsapp.net',
      data: {
        key: { remoteJid: '5511988887777@s.whatsapp.net', fromMe: false },
        pushName: 'Tomás',
        messageType: 'conversation',
        message: { conversation: 'oi' },
        instanceId: expect.stringMatching(/^[0-9a-f-]{36}$/),
      },
    });
    expect(typeof body.data.messageTimestamp).toBe('number');
    expect(received.headers['x-secret']).toBe('s3');
  });

  test('v1 names the owner, sends no headers and keeps a quoted text inside the message', async () => {
    await register('v1', { headers: { 'x-secret': 's3' }, secrets: {} });
    const { received, body } = await customerWrites({ type: 'text', text: 'oi' }, { replyTo: 'ABC' });
    expect(body.apikey).toBeUndefined();
    expect(body.data).toMatchObject({
      owner: 'shop',
      messageType: 'extendedTextMessage',
      message: { extendedTextMessage: { text: 'oi', contextInfo: { stanzaId: 'ABC' } } },
    });
    expect(received.headers['x-secret']).toBeUndefined();
  });

  test('v2 lifts the context out and addresses a LID with the phone beside it', async () => {
    await register('v2');
    const { body } = await customerWrites({ type: 'text', text: 'oi' }, { replyTo: 'ABC', lid: '762' });
    expect(body.data.contextInfo.stanzaId).toBe('ABC');
    expect(body.data.message.conversation).toBe('oi');
    expect(body.data.key).toMatchObject({
      remoteJid: '762@lid',
      remoteJidAlt: '5511988887777@s.whatsapp.net',
      addressingMode: 'lid',
    });
    const only = await customerWrites({ type: 'text', text: 'oi' }, { from: undefined, lid: '763' });
    expect(only.body.data.key.remoteJid).toBe('763@lid');
    expect(only.body.data.key.remoteJidAlt).toBeUndefined();
  });

  test('come to a path of their own when set by events, and only those asked for', async () => {
    await register('v2');
    const set = await call('POST', '/webhook/set/shop', {
      webhook: {
        enabled: true,
        url: stage.receiver.url,
        byEvents: true,
        base64: true,
        headers: { jwt_key: 'k' },
        events: ['MESSAGES_UPSERT'],
      },
    });
    expect(set.status).toBe(201);
    expect(set.json).toMatchObject({ webhookByEvents: true, webhookBase64: true, events: ['MESSAGES_UPSERT'] });
    const { received, body } = await customerWrites({ type: 'image' });
    expect(received.url).toBe('/hook/messages-upsert');
    expect(body.data.message.base64).toMatch(/^iVBOR/);
    const [head, claims, signature] = String(received.headers.authorization).replace('Bearer ', '').split('.');
    expect(createHmac('sha256', 'k').update(`${head}.${claims}`).digest('base64url')).toBe(signature);
    const ignored = await stage.inbound({
      provider: 'evolution',
      number: NUMBER,
      content: { type: 'connection', value: { state: 'open' } },
    });
    expect(ignored.json.error.code).toBe('not_expressible');
  });

  test.each([
    ['a reaction', { type: 'reaction', targetId: 'X', emoji: '👍' }, 'reactionMessage'],
    ['a button', { type: 'button_reply', id: 'b', title: 'B' }, 'buttonsResponseMessage'],
    ['a list row', { type: 'list_reply', id: 'r', title: 'R' }, 'listResponseMessage'],
    ['a place', { type: 'location', latitude: 1, longitude: 2 }, 'locationMessage'],
    ['one contact', { type: 'contacts', contacts: [{ name: 'A', phones: ['+1'] }] }, 'contactMessage'],
    ['several contacts', { type: 'contacts', contacts: [{ name: 'A' }, { name: 'B' }] }, 'contactsArrayMessage'],
    ['a voice note', { type: 'audio', isVoice: true }, 'audioMessage'],
    ['a document', { type: 'document' }, 'documentMessage'],
    ['an order', { type: 'order', items: [{ productId: 'p', price: 2 }] }, 'orderMessage'],
  ])('carry %s as Baileys names it', async (_name, content, type) => {
    await register('v2');
    const { body } = await customerWrites(content);
    expect(body.data.messageType).toBe(type);
    expect(body.data.message[type]).toBeDefined();
  });

  test('v2 reports edits and deletions as events of their own', async () => {
    await register('v2');
    expect((await customerWrites({ type: 'edit', targetId: 'X', text: 'n' })).body).toMatchObject({
      event: 'messages.edited',
      data: { key: { id: 'X' } },
    });
    expect((await customerWrites({ type: 'delete', targetId: 'X' })).body).toMatchObject({
      event: 'messages.delete',
      data: { id: 'X' },
    });
  });
});

describe('sends of Evolution', () => {
  test('v2 takes the flat form, refuses the nested one, and reports acknowledgements', async () => {
    await register('v2');
    const answer = await call('POST', '/message/sendText/shop', { number: CUSTOMER, text: 'olá' });
    expect(answer.status).toBe(201);
    expect(answer.json).toMatchObject({
      status: 'PENDING',
      message: { conversation: 'olá' },
      messageType: 'conversation',
      key: { fromMe: true },
    });
    const id = answer.json.key.id;
    const posted = await stage.receiver.wait((received) => received.text.includes(id), 5);
    const events = posted.map((received) => JSON.parse(received.text));
    expect(events.filter((event) => event.event === 'messages.update').map((event) => event.data.status)).toEqual([
      'SERVER_ACK',
      'DELIVERY_ACK',
      'READ',
    ]);
    expect(events.filter((event) => event.event === 'messages.update')[0].data).toMatchObject({
      keyId: id,
      fromMe: true,
    });
    expect(events.filter((event) => event.event === 'send.message')).toHaveLength(1);
    expect(events.find((event) => event.event === 'messages.upsert').data.key.fromMe).toBe(true);
    const wrong = await call('POST', '/message/sendText/shop', { number: CUSTOMER, textMessage: { text: 'a' } });
    expect([wrong.status, wrong.json.response.message[0][0]]).toEqual([400, 'instance requires property "text"']);
  });

  test('v1 takes the nested form, refuses the flat one, and writes the time as text', async () => {
    await register('v1');
    const answer = await call('POST', '/message/sendText/shop', { number: CUSTOMER, textMessage: { text: 'olá' } });
    expect(answer.status).toBe(201);
    expect(answer.json.message.extendedTextMessage.text).toBe('olá');
    expect(answer.json.messageTimestamp).toMatch(/^\d+$/);
    expect((await call('POST', '/message/sendText/shop', { number: CUSTOMER, text: 'a' })).status).toBe(400);
  });

  test.each([
    ['sendMedia', { mediatype: 'image', media: 'https://a.example/b.png', caption: 'c' }],
    ['sendWhatsAppAudio', { audio: 'https://a.example/b.ogg' }],
    ['sendLocation', { latitude: 1, longitude: 2, name: 'Home' }],
    ['sendContact', { contact: [{ fullName: 'A', wuid: '1', phoneNumber: '+1' }] }],
    ['sendReaction', { key: { remoteJid: '5511988887777@s.whatsapp.net', fromMe: false, id: 'X' }, reaction: '👍' }],
    ['sendButtons', { title: 'T', description: 'D', buttons: [{ type: 'reply', displayText: 'Yes', id: 'y' }] }],
    [
      'sendList',
      {
        title: 'T',
        description: 'D',
        buttonText: 'Open',
        sections: [{ title: 'S', rows: [{ title: 'R', rowId: 'r' }] }],
      },
    ],
  ])('%s is taken, and refused without its parts', async (action, body) => {
    await register('v2');
    expect((await call('POST', `/message/${action}/shop`, { number: CUSTOMER, ...body })).status).toBe(201);
    expect((await call('POST', `/message/${action}/shop`, { number: CUSTOMER })).status).toBe(400);
  });

  test('are refused for people not on WhatsApp, wrong keys, unknown and closed instances', async () => {
    await register('v2');
    const absent = await call('POST', '/message/sendText/shop', { number: '12', text: 'a' });
    expect(absent.json.response.message).toEqual([{ jid: '12@s.whatsapp.net', exists: false, number: '12' }]);
    expect((await call('POST', '/message/sendText/shop', { number: CUSTOMER, text: 'a' }, 'wrong')).status).toBe(401);
    expect((await call('POST', '/message/sendText/other', { number: CUSTOMER, text: 'a' })).status).toBe(404);
    expect((await call('DELETE', '/instance/logout/shop')).json.status).toBe('SUCCESS');
    const closed = await call('POST', '/message/sendText/shop', { number: CUSTOMER, text: 'a' });
    expect([closed.status, closed.json.response.message[0]]).toEqual([400, 'Error: Connection Closed']);
  });
});

describe('instances of Evolution', () => {
  test('are created with the global key, show a code, open when scanned, and end', async () => {
    const body = {
      instanceName: 'fresh',
      integration: 'WHATSAPP-BAILEYS',
      number: '5511977770000',
      qrcode: true,
      webhook: { url: stage.receiver.url, events: [] },
    };
    expect((await call('POST', '/instance/create', body, 'wrong')).status).toBe(401);
    const created = await call('POST', '/instance/create', body, GLOBAL);
    expect(created.status).toBe(201);
    expect(created.json.instance).toMatchObject({ instanceName: 'fresh', status: 'connecting' });
    expect(created.json.qrcode.code).toMatch(/^2@/);
    const [qr] = await stage.receiver.wait(
      (received) => received.text.includes('qrcode.updated') && received.text.includes('fresh'),
    );
    expect(JSON.parse(qr!.text).data.qrcode.instance).toBe('fresh');
    expect((await call('POST', '/instance/create', body, GLOBAL)).json.response.message[0]).toBe(
      'This name "fresh" is already in use.',
    );
    const key = created.json.hash;
    expect((await call('GET', '/instance/connect/fresh', undefined, key)).json).toMatchObject({
      count: 1,
      code: expect.stringMatching(/^2@/),
    });
    await stage.control('POST', 'scan', { provider: 'evolution', number: '+5511977770000' });
    expect((await call('GET', '/instance/connectionState/fresh', undefined, key)).json).toEqual({
      instance: { instanceName: 'fresh', state: 'open' },
    });
    const listed = await call('GET', '/instance/fetchInstances', undefined, key);
    expect(listed.json).toHaveLength(1);
    expect(listed.json[0]).toMatchObject({ name: 'fresh', connectionStatus: 'open', token: key });
    expect((await call('DELETE', '/instance/delete/fresh', undefined, key)).json.status).toBe('SUCCESS');
    expect((await call('GET', '/instance/connectionState/fresh', undefined, key)).status).toBe(404);
  });

  test('v1 answers in its own form below /v1', async () => {
    const created = await call(
      'POST',
      '/v1/instance/create',
      { instanceName: 'old', webhook: stage.receiver.url },
      GLOBAL,
    );
    expect(created.json.hash.apikey).toEqual(expect.any(String));
    expect((await call('GET', '/v1/instance/fetchInstances', undefined, GLOBAL)).json[0].instance.instanceName).toBe(
      'old',
    );
    expect((await call('GET', '/v1', undefined)).json.version).toMatch(/^1\./);
    expect((await call('GET', '/', undefined)).json.version).toMatch(/^2\./);
  });

  test('take their webhook in three forms, and refuse incomplete ones', async () => {
    await register('v2');
    const flat = { enabled: true, url: `${stage.receiver.url}/flat`, webhookByEvents: false, events: [] };
    expect((await call('POST', '/webhook/set/shop', flat)).status).toBe(201);
    expect((await call('GET', '/webhook/find/shop')).json.url).toBe(flat.url);
    expect((await call('POST', '/webhook/set/shop', { webhook: { url: 'x' } })).status).toBe(400);
    expect((await call('POST', '/webhook/set/shop', { webhook: { enabled: true, url: 'http://x' } })).status).toBe(500);
    await register('v1');
    const old = { url: `${stage.receiver.url}/old`, webhook_by_events: false, events: ['MESSAGES_UPSERT'] };
    expect((await call('POST', '/webhook/set/shop', old)).json.webhook.webhook.url).toBe(old.url);
    expect((await call('GET', '/webhook/find/shop')).json).toEqual({
      enabled: true,
      url: old.url,
      events: ['MESSAGES_UPSERT'],
    });
  });

  test('keep messages for a reconciler and give out the bytes of files', async () => {
    await register('v2');
    const { body } = await customerWrites({ type: 'image' });
    const find = await call('POST', '/chat/findMessages/shop', {
      where: { key: { remoteJid: '5511988887777@s.whatsapp.net' } },
    });
    expect(find.json.messages.total).toBeGreaterThan(0);
    expect(find.json.messages.records[0].key.id).toBe(body.data.key.id);
    const file = await call('POST', '/chat/getBase64FromMediaMessage/shop', { message: { key: body.data.key } });
    expect(file.json.base64).toMatch(/^iVBOR/);
    const read = await call('POST', '/chat/markMessageAsRead/shop', { readMessages: [body.data.key] });
    expect(read.json.read).toBe('success');
    await register('v1');
    expect(Array.isArray((await call('POST', '/chat/findMessages/shop', {})).json)).toBe(true);
  });
});
