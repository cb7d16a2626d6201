import { createHmac } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { knownErrorCodes } from '../src/graph/error-table.ts';
import { type Stage, setStage } from './support/stage.ts';

const NUMBER = '+15550001111';
const CUSTOMER = '34600111222';
const meta = {
  provider: 'meta',
  number: NUMBER,
  name: 'Demo shop',
  secrets: { appSecret: 'app-secret', verifyToken: 'verify-me', accessToken: 'EAAtoken' },
  ids: { phoneNumberId: '106500000000001', wabaId: '102200000000001' },
};

let stage: Stage;
beforeAll(async () => {
  stage = await setStage();
});
afterAll(() => stage.close());
beforeEach(async () => {
  await stage.control('DELETE', 'numbers');
  await stage.faults();
  await stage.register(meta);
});

function send(body: Record<string, unknown>, token = 'EAAtoken') {
  return stage.call(`${stage.simulator.urls.graph}/v23.0/106500000000001/messages`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify({ messaging_product: 'whatsapp', to: `+${CUSTOMER}`, ...body }),
  });
}

const text = (body: string) => ({ type: 'text', text: { body } });

async function customerWrites(content: Record<string, unknown> = { type: 'text', text: 'hola' }) {
  const answer = await stage.inbound({
    provider: 'meta',
    number: NUMBER,
    from: `+${CUSTOMER}`,
    profileName: 'Zoë',
    content,
  });
  const received = stage.receiver.all.at(-1)!;
  const value = JSON.parse(received.text).entry[0].changes[0].value;
  return { answer, received, value, message: value.messages?.[0] };
}

describe('webhooks of the Cloud API', () => {
  test('are signed over the exact bytes, written as Meta writes them', async () => {
    const { received, message } = await customerWrites({ type: 'text', text: '¡hola! https://a.example/ñ 🙂' });
    const expected = createHmac('sha256', 'app-secret').update(received.body).digest('hex');
    expect(received.headers['x-hub-signature-256']).toBe(`sha256=${expected}`);
    expect(received.text).toContain('\\u00a1hola! https:\\/\\/a.example\\/\\u00f1 \\ud83d\\ude42');
    expect(message.text.body).toBe('¡hola! https://a.example/ñ 🙂');
    expect([...received.body].every((byte) => byte < 128)).toBe(true);
  });

  test('name the number, the person and the time as text of seconds', async () => {
    const { value, message } = await customerWrites();
    expect(value.metadata).toEqual({ display_phone_number: '15550001111', phone_number_id: '106500000000001' });
    expect(value.contacts).toEqual([{ profile: { name: 'Zoë' }, wa_id: CUSTOMER }]);
    expect(message.from).toBe(CUSTOMER);
    expect(message.timestamp).toMatch(/^\d{10}$/);
    expect(message.id).toMatch(/^wamid\./);
  });

  test('leave out the phone of someone known by a business-scoped id only', async () => {
    await stage.inbound({ provider: 'meta', number: NUMBER, bsuid: 'US.1349', content: { type: 'text', text: 'hi' } });
    const value = JSON.parse(stage.receiver.all.at(-1)!.text).entry[0].changes[0].value;
    expect(value.contacts[0]).toEqual({ profile: { name: 'Customer' }, user_id: 'US.1349' });
    expect(value.messages[0].from).toBeUndefined();
    expect(value.messages[0].from_user_id).toBe('US.1349');
  });

  test.each([
    ['image', { type: 'image', caption: 'see' }, { image: { caption: 'see', mime_type: 'image/png' } }],
    ['a voice note', { type: 'audio', isVoice: true }, { audio: { voice: true } }],
    ['document', { type: 'document', fileName: 'a.pdf' }, { document: { filename: 'a.pdf' } }],
    ['sticker', { type: 'sticker' }, { sticker: { animated: false } }],
    ['location', { type: 'location', latitude: 1.5, longitude: -2 }, { location: { latitude: 1.5, longitude: -2 } }],
    [
      'contacts',
      { type: 'contacts', contacts: [{ name: 'Ana B', phones: ['+34600'] }] },
      { contacts: [{ name: { formatted_name: 'Ana B' } }] },
    ],
    [
      'reaction',
      { type: 'reaction', targetId: 'wamid.x', emoji: '👍' },
      { reaction: { message_id: 'wamid.x', emoji: '👍' } },
    ],
    [
      'button',
      { type: 'button_reply', id: 'b1', title: 'Yes' },
      { interactive: { type: 'button_reply', button_reply: { id: 'b1', title: 'Yes' } } },
    ],
    [
      'template button',
      { type: 'button_reply', id: 'b1', title: 'Yes', isTemplateButton: true },
      { type: 'button', button: { payload: 'b1', text: 'Yes' } },
    ],
    [
      'list',
      { type: 'list_reply', id: 'r1', title: 'Row' },
      { interactive: { list_reply: { id: 'r1', title: 'Row' } } },
    ],
    ['flow', { type: 'flow_reply', answer: { a: 1 } }, { interactive: { nfm_reply: { response_json: '{"a":1}' } } }],
    [
      'order',
      { type: 'order', items: [{ productId: 'p', quantity: 2, price: 9.5 }] },
      { order: { product_items: [{ product_retailer_id: 'p', quantity: 2, item_price: 9.5, currency: 'USD' }] } },
    ],
    [
      'edit',
      { type: 'edit', targetId: 'wamid.x', text: 'new' },
      { edit: { original_message_id: 'wamid.x', message: { text: { body: 'new' } } } },
    ],
    ['delete', { type: 'delete', targetId: 'wamid.x' }, { type: 'revoke', revoke: { original_message_id: 'wamid.x' } }],
    [
      'number change',
      { type: 'number_change', newNumber: '+34611' },
      { system: { type: 'user_changed_number', wa_id: '34611' } },
    ],
    ['unsupported', { type: 'unsupported' }, { type: 'unsupported', errors: [{ code: 131051 }] }],
  ])('carry %s in Meta’s form', async (_name, content, expected) => {
    const { message } = await customerWrites(content);
    expect(message).toMatchObject(expected);
  });

  test('carry echoes, quality, templates and preferences in fields of their own', async () => {
    const fieldOf = async (content: Record<string, unknown>) => {
      await stage.inbound({ provider: 'meta', number: NUMBER, from: `+${CUSTOMER}`, content });
      return JSON.parse(stage.receiver.all.at(-1)!.text).entry[0].changes[0];
    };
    expect(await fieldOf({ type: 'echo', text: 'from the phone' })).toMatchObject({
      field: 'smb_message_echoes',
      value: { message_echoes: [{ from: '15550001111', to: CUSTOMER }] },
    });
    expect((await fieldOf({ type: 'quality' })).field).toBe('phone_number_quality_update');
    expect((await fieldOf({ type: 'template', value: { event: 'PAUSED' } })).value.event).toBe('PAUSED');
    expect((await fieldOf({ type: 'preference' })).value.user_preferences[0].value).toBe('stop');
    expect((await fieldOf({ type: 'account', name: 'account_alerts', value: { a: 1 } })).field).toBe('account_alerts');
  });

  test('refuse what WhatsApp does not have', async () => {
    const content = { type: 'comment', text: 'x' };
    const answer = await stage.inbound({ provider: 'meta', number: NUMBER, from: '+34600', content });
    expect([answer.status, answer.json.error.code]).toEqual([422, 'not_expressible']);
  });
});

describe('the handshake', () => {
  test('is passed by an echoed challenge', async () => {
    stage.receiver.answerWith((received) => ({
      status: 200,
      body: new URL(received.url, 'http://x').searchParams.get('hub.challenge') ?? '',
    }));
    const answer = await stage.control('POST', 'handshake', { provider: 'meta', number: NUMBER });
    stage.receiver.answerWith(() => ({ status: 200 }));
    expect(answer.json).toMatchObject({ isVerified: true, status: 200 });
    const query = new URL(stage.receiver.all.at(-1)!.url, 'http://x').searchParams;
    expect(query.get('hub.mode')).toBe('subscribe');
    expect(query.get('hub.verify_token')).toBe('verify-me');
  });

  test('fails on another body, and an override that fails it is not taken', async () => {
    const override = await stage.call(`${stage.simulator.urls.graph}/v23.0/106500000000001`, {
      method: 'POST',
      headers: { authorization: 'Bearer EAAtoken', 'content-type': 'application/json' },
      body: JSON.stringify({
        webhook_configuration: { override_callback_uri: `${stage.receiver.url}/other`, verify_token: 't' },
      }),
    });
    expect(override.json.error.code).toBe(100);
    const numbers = await stage.control('GET', 'numbers');
    expect(numbers.json.data[0].webhookUrl).toBe(stage.receiver.url);
  });

  test('comes before an override, which then receives', async () => {
    stage.receiver.answerWith((received) => ({
      status: 200,
      body: new URL(received.url, 'http://x').searchParams.get('hub.challenge') ?? '',
    }));
    const url = `${stage.receiver.url}/account`;
    const override = await stage.call(`${stage.simulator.urls.graph}/v23.0/102200000000001/subscribed_apps`, {
      method: 'POST',
      headers: { authorization: 'Bearer EAAtoken', 'content-type': 'application/json' },
      body: JSON.stringify({ override_callback_uri: url, verify_token: 't' }),
    });
    expect(override.json).toEqual({ success: true });
    const { received } = await customerWrites();
    expect(received.url).toBe('/hook/account');
    stage.receiver.answerWith(() => ({ status: 200 }));
  });
});

describe('sends of the Cloud API', () => {
  test('are answered with the id, and their statuses carry our own data back', async () => {
    await customerWrites();
    const answer = await send({ ...text('hello'), biz_opaque_callback_data: 'att_42' });
    expect(answer.status).toBe(200);
    const id = answer.json.messages[0].id;
    expect(answer.json).toEqual({
      messaging_product: 'whatsapp',
      contacts: [{ input: `+${CUSTOMER}`, wa_id: CUSTOMER }],
      messages: [{ id }],
    });
    const receipts = await stage.receiver.wait((received) => received.text.includes('att_42'), 3);
    const statuses = receipts.map((received) => JSON.parse(received.text).entry[0].changes[0].value.statuses[0]);
    expect(statuses.map((status) => status.status)).toEqual(['sent', 'delivered', 'read']);
    expect(statuses.every((status) => status.id === id && status.biz_opaque_callback_data === 'att_42')).toBe(true);
    expect(statuses[0].pricing).toMatchObject({ billable: false, category: 'service', pricing_model: 'PMP' });
    expect(statuses[2].pricing).toBeUndefined();
    expect(statuses[0].recipient_id).toBe(CUSTOMER);
  });

  test('outside the window are refused with 131047, in the answer or as a failed status; templates pass', async () => {
    const refused = await send(text('too late'));
    expect(refused.status).toBe(400);
    expect(refused.json.error).toMatchObject({ code: 131047, type: 'OAuthException' });
    expect(refused.json.error.error_data.messaging_product).toBe('whatsapp');
    const template = await send({ type: 'template', template: { name: 'hello', language: { code: 'en_US' } } });
    expect(template.status).toBe(200);

    await stage.register({ ...meta, windowRefusal: 'status' });
    const accepted = await send(text('too late'));
    expect(accepted.status).toBe(200);
    const id = accepted.json.messages[0].id;
    const [failed] = await stage.receiver.wait((received) => received.text.includes(id));
    expect(JSON.parse(failed!.text).entry[0].changes[0].value.statuses[0]).toMatchObject({
      status: 'failed',
      errors: [{ code: 131047 }],
    });
  });

  test('pass again after the customer wrote, and no longer a day later', async () => {
    await customerWrites();
    expect((await send(text('now'))).status).toBe(200);
    await stage.control('POST', 'advance', { milliseconds: 24 * 3_600_000 + 1_000 });
    expect((await send(text('tomorrow'))).json.error.code).toBe(131047);
  });

  test.each([
    ['no product', { messaging_product: 'x', ...text('a') }, 100],
    ['no recipient', { to: undefined, ...text('a') }, 100],
    ['a bad recipient', { to: 'me', ...text('a') }, 131009],
    ['an unknown type', { type: 'hologram' }, 100],
    ['no part of that type', { type: 'text' }, 131008],
    ['empty text', text(''), 131008],
    ['long text', text('x'.repeat(4097)), 100],
    ['media without id or link', { type: 'image', image: {} }, 100],
    ['media with both', { type: 'image', image: { id: '1', link: 'https://a.example/b' } }, 100],
    ['an unknown media id', { type: 'image', image: { id: '404' } }, 131009],
    ['a link that is none', { type: 'image', image: { link: 'nowhere' } }, 131009],
    ['a captioned voice note', { type: 'audio', audio: { link: 'https://a.example/b', caption: 'x' } }, 100],
    ['four buttons', buttons(4), 131009],
    ['a long button title', buttons(1, 'x'.repeat(21)), 100],
    ['two buttons of one id', { ...buttons(2), ...sameIds() }, 131009],
    ['eleven rows', list(11), 131009],
    ['a long row title', list(1, 'x'.repeat(25)), 100],
    ['no template language', { type: 'template', template: { name: 'x' } }, 131008],
    ['a reaction to nothing', { type: 'reaction', reaction: { emoji: '👍' } }, 131008],
    ['a place off the earth', { type: 'location', location: { latitude: 91, longitude: 0 } }, 131009],
    ['nameless contacts', { type: 'contacts', contacts: [{}] }, 131008],
    ['too much of our own data', { ...text('a'), biz_opaque_callback_data: 'x'.repeat(513) }, 100],
  ])('with %s are refused', async (_name, body, code) => {
    await customerWrites();
    const answer = await send(body);
    expect(answer.json.error.code).toBe(code);
    expect(answer.status).toBe(400);
  });

  test('with buttons, lists, media by id, places, reactions and contacts are taken', async () => {
    await customerWrites();
    const upload = new FormData();
    upload.set('messaging_product', 'whatsapp');
    upload.set('file', new Blob(['bytes'], { type: 'image/png' }), 'a.png');
    const media = await stage.call(`${stage.simulator.urls.graph}/v23.0/106500000000001/media`, {
      method: 'POST',
      headers: { authorization: 'Bearer EAAtoken' },
      body: upload,
    });
    for (const body of [
      buttons(3),
      list(10),
      { type: 'image', image: { id: media.json.id, caption: 'c' } },
      { type: 'location', location: { latitude: '1', longitude: '2' } },
      { type: 'reaction', reaction: { message_id: 'wamid.x', emoji: '' } },
      { type: 'contacts', contacts: [{ name: { formatted_name: 'A', first_name: 'A' } }] },
    ]) {
      expect((await send(body)).status, JSON.stringify(body)).toBe(200);
    }
    const found = await stage.call(`${stage.simulator.urls.graph}/v23.0/${media.json.id}`, {
      headers: { authorization: 'Bearer EAAtoken' },
    });
    expect(found.json).toMatchObject({ mime_type: 'image/png', file_size: 5 });
    expect((await stage.call(found.json.url)).status).toBe(401);
    const bytes = await stage.call(found.json.url, { headers: { authorization: 'Bearer EAAtoken' } });
    expect(bytes.text).toBe('bytes');
  });

  test('need the token, and a number that exists', async () => {
    const wrong = await send(text('a'), 'other');
    expect([wrong.status, wrong.json.error.code]).toEqual([401, 190]);
    const unknown = await stage.call(`${stage.simulator.urls.graph}/v23.0/999/messages`, {
      method: 'POST',
      headers: { authorization: 'Bearer EAAtoken' },
      body: '{}',
    });
    expect([unknown.status, unknown.json.error.code]).toEqual([400, 100]);
  });

  test('check a template against those the number has', async () => {
    await stage.register({
      ...meta,
      templates: [
        { name: 'order', language: 'en', parameters: 2, body: 'Hi {{1}}, order {{2}}' },
        { name: 'code', language: 'en', category: 'AUTHENTICATION' },
      ],
    });
    const template = (name: string, language: string, texts: string[]) => ({
      type: 'template',
      template: {
        name,
        language: { code: language },
        components: [{ type: 'body', parameters: texts.map((each) => ({ type: 'text', text: each })) }],
      },
    });
    expect((await send(template('order', 'en', ['Ana', '7']))).json.messages[0].message_status).toBe('accepted');
    expect((await send(template('order', 'en', ['Ana']))).json.error.code).toBe(132000);
    expect((await send(template('order', 'fr', ['Ana', '7']))).json.error.code).toBe(132001);
    expect((await send({ ...template('code', 'en', []), to: undefined, recipient: 'US.1' })).json.error.code).toBe(
      131062,
    );
    const sends = await stage.ledger(`kind=send&number=${encodeURIComponent(NUMBER)}`);
    expect(sends.at(-1).text).toBe('Hi Ana, order 7');
  });

  test('over the limits are refused with 130429 for the number and 131056 for the pair', async () => {
    await stage.register({ ...meta, window: false, limits: { perSecond: 1000, pair: true } });
    const codes: (number | undefined)[] = [];
    for (let sent = 0; sent < 47; sent += 1) codes.push((await send(text('x'))).json.error?.code);
    expect(codes.slice(0, 45).every((code) => code === undefined)).toBe(true);
    expect(codes.at(-1)).toBe(131056);
    await stage.control('DELETE', 'numbers');
    await stage.register({ ...meta, window: false, limits: { perSecond: 2, pair: false } });
    const many = await Promise.all(Array.from({ length: 8 }, () => send(text('x'))));
    expect(many.some((answer) => answer.json.error?.code === 130429)).toBe(true);
    expect(many.every((answer) => answer.status === 200 || answer.status === 400)).toBe(true);
  });

  test('mark as read and show typing', async () => {
    const { message } = await customerWrites();
    const answer = await send({ status: 'read', message_id: message.id, typing_indicator: { type: 'text' } });
    expect(answer.json).toEqual({ success: true });
    const [entry] = (await stage.ledger('kind=read')).slice(-1);
    expect(entry).toMatchObject({ kind: 'read', messageId: message.id, customer: CUSTOMER });
  });

  test.each(knownErrorCodes)('can be refused with code %s on order', async (code) => {
    await stage.faults({ kind: 'error', code: Number(code), provider: 'meta' });
    const answer = await send(text('x'));
    expect(answer.json.error.code).toBe(Number(code));
    expect(answer.status).toBeGreaterThanOrEqual(400);
    expect(answer.json.error.fbtrace_id).toMatch(/^A/);
  });
});

function buttons(count: number, title = 'Title') {
  const reply = (index: number) => ({
    type: 'reply',
    reply: { id: `b${index}`, title: count === 1 ? title : `${title} ${index}` },
  });
  return {
    type: 'interactive',
    interactive: {
      type: 'button',
      body: { text: 'Choose' },
      action: { buttons: Array.from({ length: count }, (_, index) => reply(index)) },
    },
  };
}

function sameIds() {
  const reply = (title: string) => ({ type: 'reply', reply: { id: 'same', title } });
  return { interactive: { type: 'button', body: { text: 'Choose' }, action: { buttons: [reply('a'), reply('b')] } } };
}

function list(count: number, title = 'Row') {
  const rows = Array.from({ length: count }, (_, index) => ({ id: `r${index}`, title }));
  return {
    type: 'interactive',
    interactive: { type: 'list', body: { text: 'Choose' }, action: { button: 'Open', sections: [{ rows }] } },
  };
}
