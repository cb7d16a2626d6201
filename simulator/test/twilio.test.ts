import { createHmac } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Received } from './support/receiver.ts';
import { type Stage, setStage } from './support/stage.ts';

const NUMBER = '+14155238886';
const SID = 'AC00000000000000000000000000000001';
const TOKEN = 'twilio-auth-token';
const CUSTOMER = '+34600111222';

let stage: Stage;
beforeAll(async () => {
  stage = await setStage();
});
afterAll(() => stage.close());

let webhookUrl: string;
beforeEach(async () => {
  webhookUrl = `${stage.receiver.url}?who=shop&n=1#rc=2&rp=all`;
  await stage.control('DELETE', 'numbers');
  await stage.faults();
  await stage.register({
    provider: 'twilio',
    number: NUMBER,
    webhookUrl,
    secrets: { authToken: TOKEN },
    ids: { accountSid: SID },
  });
});

const basic = `Basic ${Buffer.from(`${SID}:${TOKEN}`).toString('base64')}`;

function send(fields: Record<string, string>, authorization = basic) {
  return stage.call(`${stage.simulator.urls.twilio}/2010-04-01/Accounts/${SID}/Messages.json`, {
    method: 'POST',
    headers: { authorization, 'content-type': 'application/x-www-form-urlencoded' },
    body: new URLSearchParams({ From: `whatsapp:${NUMBER}`, To: `whatsapp:${CUSTOMER}`, ...fields }).toString(),
  });
}

/** As Twilio's own documents describe it, written again from the description. */
function expectedSignature(url: string, received: Received): string {
  const form = new URLSearchParams(received.text);
  const text = [...form.entries()].sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, value]) => name + value);
  return createHmac('sha1', TOKEN)
    .update(url + text.join(''))
    .digest('base64');
}

async function customerWrites(content: Record<string, unknown>, extra: Record<string, unknown> = {}) {
  const answer = await stage.inbound({
    provider: 'twilio',
    number: NUMBER,
    from: CUSTOMER,
    profileName: 'Lucía',
    content,
    ...extra,
  });
  const received = stage.receiver.all.at(-1)!;
  return { answer, received, form: new URLSearchParams(received.text) };
}

describe('webhooks of Twilio', () => {
  test('are signed over the configured URL without its fragment', async () => {
    const { received, form } = await customerWrites({ type: 'text', text: 'hola + ñ & más' });
    expect(received.url).toBe('/hook?who=shop&n=1');
    expect(received.headers['x-twilio-signature']).toBe(expectedSignature(webhookUrl.split('#')[0]!, received));
    expect(received.headers['i-twilio-idempotency-token']).toMatch(/^[0-9a-f]{32}$/);
    expect(Object.fromEntries(form)).toMatchObject({
      Body: 'hola + ñ & más',
      From: `whatsapp:${CUSTOMER}`,
      To: `whatsapp:${NUMBER}`,
      WaId: '34600111222',
      ProfileName: 'Lucía',
      AccountSid: SID,
      SmsStatus: 'received',
      NumMedia: '0',
    });
    expect(form.get('MessageSid')).toMatch(/^SM[0-9a-f]{32}$/);
  });

  test.each([
    ['media', { type: 'image', caption: 'see' }, { NumMedia: '1', Body: 'see', MediaContentType0: 'image/png' }],
    [
      'a place',
      { type: 'location', latitude: 1.5, longitude: 2, name: 'Home' },
      { Latitude: '1.5', Longitude: '2', Label: 'Home', Body: '' },
    ],
    [
      'a button',
      { type: 'button_reply', id: 'b', title: 'Yes' },
      { ButtonPayload: 'b', ButtonText: 'Yes', Body: 'Yes' },
    ],
    ['a list row', { type: 'list_reply', id: 'r', title: 'Row' }, { ListId: 'r', ListTitle: 'Row' }],
  ])('carry %s', async (_name, content, expected) => {
    const { form } = await customerWrites(content);
    expect(Object.fromEntries(form)).toMatchObject(expected);
  });

  test('name someone without a number by the business-scoped id', async () => {
    await stage.inbound({
      provider: 'twilio',
      number: NUMBER,
      bsuid: 'US.1349',
      content: { type: 'text', text: 'hi' },
    });
    const form = new URLSearchParams(stage.receiver.all.at(-1)!.text);
    expect(form.get('From')).toBe('whatsapp:US.1349');
    expect(form.get('ExternalUserId')).toBe('whatsapp:US.1349');
    expect(form.has('WaId')).toBe(false);
  });

  test('may be answered with TwiML, which is sent; what is no XML is error 12300', async () => {
    stage.receiver.script({
      status: 200,
      contentType: 'text/xml',
      body: '<?xml version="1.0"?><Response><Message><Body>one &amp; two</Body></Message></Response>',
    });
    await customerWrites({ type: 'text', text: 'hi' });
    expect((await stage.ledger('kind=send')).at(-1)).toMatchObject({ what: 'twiml', text: 'one & two' });
    stage.receiver.script({ status: 200, contentType: 'application/json', body: '{"ok":true}' });
    await customerWrites({ type: 'text', text: 'hi' });
    expect((await stage.ledger('kind=refusal')).at(-1)).toMatchObject({ code: '12300' });
  });
});

describe('sends of Twilio', () => {
  test('are answered 201 and reported to the callback, signed', async () => {
    await customerWrites({ type: 'text', text: 'hi' });
    const callback = `${stage.receiver.url}/status?attempt=att_7`;
    const answer = await send({ Body: 'hello', StatusCallback: callback });
    expect(answer.status).toBe(201);
    expect(answer.json).toMatchObject({
      account_sid: SID,
      status: 'queued',
      direction: 'outbound-api',
      error_code: null,
      num_segments: '1',
      body: 'hello',
    });
    const receipts = await stage.receiver.wait((received) => received.url.includes('att_7'), 3);
    expect(receipts.map((received) => new URLSearchParams(received.text).get('MessageStatus'))).toEqual([
      'sent',
      'delivered',
      'read',
    ]);
    expect(receipts[0]!.headers['x-twilio-signature']).toBe(expectedSignature(callback, receipts[0]!));
    expect(new URLSearchParams(receipts[0]!.text).get('MessageSid')).toBe(answer.json.sid);
  });

  test('outside the window are taken and then reported undelivered with 63016', async () => {
    const answer = await send({ Body: 'late', StatusCallback: `${stage.receiver.url}/late` });
    expect(answer.status).toBe(201);
    const [receipt] = await stage.receiver.wait((received) => received.url === '/hook/late');
    expect(Object.fromEntries(new URLSearchParams(receipt!.text))).toMatchObject({
      MessageStatus: 'undelivered',
      ErrorCode: '63016',
    });
    const message = await stage.call(`${stage.simulator.urls.twilio}${answer.json.uri}`, {
      headers: { authorization: basic },
    });
    expect(message.json).toMatchObject({ status: 'undelivered', error_code: 63016 });
  });

  test.each([
    ['no recipient', { To: '' }, 400, 21604],
    ['a bad recipient', { To: 'whatsapp:me' }, 400, 21211],
    ['nothing to say', {}, 400, 21602],
    ['too much to say', { Body: 'x'.repeat(1601) }, 400, 21617],
    ['another channel', { To: CUSTOMER, Body: 'a' }, 400, 21910],
    ['itself as recipient', { To: `whatsapp:${NUMBER}`, Body: 'a' }, 400, 63031],
    ['an unknown sender', { From: 'whatsapp:+1999', Body: 'a' }, 400, 63007],
    ['a bad content', { ContentSid: 'HX1' }, 400, 21655],
    ['variables that are no JSON', { ContentSid: `HX${'0'.repeat(32)}`, ContentVariables: '{' }, 400, 21656],
    ['a callback that is no URL', { Body: 'a', StatusCallback: 'nowhere' }, 400, 21609],
    ['a media link that is none', { MediaUrl: 'file:///etc/passwd' }, 400, 21620],
  ])('with %s are refused', async (_name, fields, status, code) => {
    const answer = await send(fields as Record<string, string>);
    expect([answer.status, answer.json.code]).toEqual([status, code]);
    expect(answer.json.more_info).toBe(`https://www.twilio.com/docs/errors/${code}`);
  });

  test('need the account’s token', async () => {
    const answer = await send({ Body: 'a' }, `Basic ${Buffer.from(`${SID}:wrong`).toString('base64')}`);
    expect([answer.status, answer.json.code]).toEqual([401, 20003]);
  });

  test('show a content of the Content API with its variables, as buttons', async () => {
    const content = await stage.call(`${stage.simulator.urls.twilio}/v1/Content`, {
      method: 'POST',
      headers: { authorization: basic, 'content-type': 'application/json' },
      body: JSON.stringify({
        types: { 'twilio/quick-reply': { body: 'Hi {{1}}', actions: [{ id: 'y', title: 'Yes' }] } },
      }),
    });
    expect(content.status).toBe(201);
    await customerWrites({ type: 'text', text: 'hi' });
    await send({ ContentSid: content.json.sid, ContentVariables: '{"1":"Ana"}' });
    const state = await stage.call(`${stage.simulator.urls.phone}/phone/state`);
    const messages = state.json.numbers[0].threads[0].messages;
    expect(messages.at(-1).content).toEqual({ type: 'buttons', text: 'Hi Ana', buttons: [{ id: 'y', title: 'Yes' }] });
  });
});

test('lists messages of both directions, filtered and in pages, for a reconciler', async () => {
  await customerWrites({ type: 'text', text: 'first' });
  await customerWrites({ type: 'text', text: 'second' });
  await send({ Body: 'answer' });
  const list = (query: string) =>
    stage.call(`${stage.simulator.urls.twilio}/2010-04-01/Accounts/${SID}/Messages.json?${query}`, {
      headers: { authorization: basic },
    });
  const to = encodeURIComponent(`whatsapp:${NUMBER}`);
  const page = (await list(`To=${to}&PageSize=1`)).json;
  expect(page.messages).toHaveLength(1);
  expect(page.messages[0]).toMatchObject({ body: 'second', direction: 'inbound', status: 'received' });
  const next = await stage.call(`${stage.simulator.urls.twilio}${page.next_page_uri}`, {
    headers: { authorization: basic },
  });
  expect(next.json.messages[0].body).toBe('first');
  const today = new Date().toISOString().slice(0, 10);
  expect((await list(`DateSent=${today}&From=${to}`)).json.messages[0].body).toBe('answer');
  expect((await list('DateSent%3C=2001-01-01')).json.messages).toEqual([]);
});
