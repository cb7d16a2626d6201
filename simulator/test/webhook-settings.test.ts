/** The providers' own calls that see, set and end a webhook. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type Stage, setStage } from './support/stage.ts';

let stage: Stage;
beforeAll(async () => {
  stage = await setStage();
});
afterAll(() => stage.close());
beforeEach(async () => {
  await stage.control('DELETE', 'numbers');
  await stage.faults();
});

const json = (method: string, headers: Record<string, string>, body?: unknown) => ({
  method,
  headers: { ...headers, 'content-type': 'application/json' },
  ...(body === undefined ? {} : { body: JSON.stringify(body) }),
});

describe('Meta', () => {
  const phone = '106500000000009';
  const waba = '102200000000009';
  const call = (method: string, path: string, body?: unknown) =>
    stage.call(`${stage.simulator.urls.graph}/v24.0/${path}`, json(method, { authorization: 'Bearer t' }, body));
  const configuration = async () => (await call('GET', `${phone}?fields=webhook_configuration`)).json;

  beforeEach(() =>
    stage.register({
      provider: 'meta',
      number: '+15550001119',
      ids: { phoneNumberId: phone, wabaId: waba },
      secrets: { accessToken: 't', verifyToken: 'v' },
    }),
  );

  test('names the callbacks of number, business account and app, nearest in force', async () => {
    const app = stage.receiver.url;
    expect(await configuration()).toEqual({ id: phone, webhook_configuration: { application: app } });
    stage.receiver.answerWith(({ url }) => ({
      status: 200,
      body: new URL(url, 'http://x').searchParams.get('hub.challenge') ?? '',
    }));
    await call('POST', `${waba}/subscribed_apps`, { override_callback_uri: `${app}/waba`, verify_token: 'v' });
    await call('POST', phone, { webhook_configuration: { override_callback_uri: `${app}/number`, verify_token: 'v' } });
    expect((await configuration()).webhook_configuration).toEqual({
      application: app,
      whatsapp_business_account: `${app}/waba`,
      phone_number: `${app}/number`,
    });
    await call('POST', phone, { webhook_configuration: { override_callback_uri: '' } });
    expect((await configuration()).webhook_configuration).not.toHaveProperty('phone_number');
  });

  test('sends nothing to an app that is not subscribed', async () => {
    expect((await call('GET', `${waba}/subscribed_apps`)).json.data).toHaveLength(1);
    await call('DELETE', `${waba}/subscribed_apps`);
    expect((await call('GET', `${waba}/subscribed_apps`)).json.data).toEqual([]);
    const told = await stage.inbound({
      ...{ provider: 'meta', number: '+15550001119', from: '+34600111222', content: { type: 'text', text: 'hola' } },
    });
    expect(told.json.outcome).toBe('no_webhook');
    await call('POST', `${waba}/subscribed_apps`);
    expect((await call('GET', `${waba}/subscribed_apps`)).json.data).toHaveLength(1);
  });
});

describe('Instagram', () => {
  const id = '17840000000000009';
  const call = (method: string, query = '') =>
    stage.call(`${stage.simulator.urls.graph}/v24.0/${id}/subscribed_apps${query}`, {
      method,
      headers: { authorization: 'Bearer t' },
    });

  test('keeps the fields that the app wants, and knows no others', async () => {
    await stage.register({
      provider: 'instagram',
      number: 'shop',
      ids: { instagramId: id },
      secrets: { accessToken: 't' },
    });
    expect((await call('POST', '?subscribed_fields=messages,comments')).json).toEqual({ success: true });
    expect((await call('GET')).json.data[0].subscribed_fields).toEqual(['messages', 'comments']);
    expect((await call('POST', '?subscribed_fields=gossip')).json.error.code).toBe(100);
    expect((await call('POST')).status).toBe(400);
    await call('DELETE');
    expect((await call('GET')).json.data).toEqual([]);
  });
});

describe('Twilio', () => {
  const account = 'AC00000000000000000000000000000009';
  const serviceSid = 'MG00000000000000000000000000000009';
  const authorization = `Basic ${Buffer.from(`${account}:secret`).toString('base64')}`;
  const at = (path: string) => stage.simulator.urls.twilio + path;
  const senders = (query: string) => stage.call(at(`/v2/Channels/Senders?${query}`), json('GET', { authorization }));

  beforeEach(async () => {
    for (const number of ['+14155238801', '+14155238802']) {
      const ids = { accountSid: account, messagingServiceSid: serviceSid };
      await stage.register({ provider: 'twilio', number, ids, secrets: { authToken: 'secret' } });
    }
  });

  test('lists senders by page, and changes the webhook of one', async () => {
    const first = (await senders('Channel=whatsapp&PageSize=1')).json;
    expect(first.senders).toHaveLength(1);
    expect(first.meta.next_page_url).toMatch(/^https:\/\/messaging\.twilio\.com\/v2\/Channels\/Senders\?.*Page=1$/);
    const { sid, sender_id, webhook } = first.senders[0];
    expect([sid, sender_id]).toEqual([expect.stringMatching(/^XE[0-9a-f]{32}$/), 'whatsapp:+14155238801']);
    expect(webhook).toMatchObject({ callback_url: stage.receiver.url, callback_method: 'POST' });
    const change = { webhook: { callback_url: 'https://x.example/hook#rc=5&rp=all', callback_method: 'POST' } };
    const changed = await stage.call(at(`/v2/Channels/Senders/${sid}`), json('POST', { authorization }, change));
    expect([changed.status, changed.json.webhook.callback_url]).toEqual([202, change.webhook.callback_url]);
    const wrong = { webhook: { callback_method: 'GET' } };
    expect((await stage.call(at(`/v2/Channels/Senders/${sid}`), json('POST', { authorization }, wrong))).status).toBe(
      400,
    );
  });

  test('asks for the channel and for credentials', async () => {
    expect((await senders('PageSize=1')).status).toBe(400);
    expect((await stage.call(at('/v2/Channels/Senders?Channel=whatsapp'))).json.code).toBe(20003);
  });

  test('a service leads all its numbers, until it says to use their own', async () => {
    const path = at(`/v1/Services/${serviceSid}`);
    const post = (form: Record<string, string>) =>
      stage.call(path, { method: 'POST', headers: { authorization }, body: new URLSearchParams(form) });
    const elsewhere = `${stage.receiver.url}/service`;
    await post({ InboundRequestUrl: elsewhere, UseInboundWebhookOnNumber: 'false' });
    const { json: service } = await stage.call(path, { headers: { authorization } });
    expect(service).toMatchObject({ inbound_request_url: elsewhere, use_inbound_webhook_on_number: false });
    const shown = async () =>
      (await stage.control('GET', 'numbers')).json.data.map((one: { webhookUrl: string }) => one.webhookUrl);
    expect(await shown()).toEqual([elsewhere, elsewhere]);
    await post({ UseInboundWebhookOnNumber: 'true' });
    expect(await shown()).toEqual([stage.receiver.url, stage.receiver.url]);
    expect((await stage.call(at('/v1/Services/MGnone'), { headers: { authorization } })).json.code).toBe(20404);
  });
});
