/** Routes that do not name their account in the path: app-level ones, and those of older systems. */
import { createHmac, randomBytes } from 'node:crypto';
import type { WorkspaceId } from '@switchyard/contract';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { rebuildDelivery } from '#gateway';
import {
  metaBody,
  metaSignature,
  openWorld,
  operatorAppSecret,
  operatorVerifyToken,
  publicUrl,
  type World,
} from './world.ts';

let world: World;

beforeAll(async () => {
  world = await openWorld();
});
afterAll(() => world.close());

async function storedBody(body: string | Buffer) {
  return (await world.stored()).filter((delivery) => delivery.body.equals(Buffer.from(body)));
}

const withoutOwn = { accessToken: 'an access token' };

describe('/api/whatsapp/webhook', () => {
  const path = '/api/whatsapp/webhook';

  it('takes what the operator’s secret signs, for accounts without one, into the operator’s workspace', async () => {
    await world.connect({ provider: 'meta', settings: { phoneNumberId: '555000111' }, secrets: withoutOwn });
    const body = metaBody('555000111');
    const answer = await world.send(path, { headers: metaSignature(body, operatorAppSecret), body });
    expect(answer.status).toBe(200);
    const operator = await world.workspaces.operatorWorkspace();
    expect(await storedBody(body)).toMatchObject([
      { workspaceId: operator.id, accountId: null, routeKind: 'shared', isAuthenticated: true },
    ]);
  });

  it('takes ids that nobody here has, signed by any secret of the list', async () => {
    const body = metaBody('999999999999');
    expect((await world.send(path, { headers: metaSignature(body, 'an older secret'), body })).status).toBe(200);
    expect(await storedBody(body)).toHaveLength(1);
  });

  it('takes what an account’s own secret signs as that account’s delivery, whatever else it names', async () => {
    const own = await world.connect({ provider: 'meta', settings: { phoneNumberId: '555000222' } });
    const body = JSON.stringify([metaBody('555000222'), metaBody('555000111')]).replaceAll('\\"', '"');
    expect((await world.send(path, { headers: metaSignature(body), body })).status).toBe(200);
    expect(await storedBody(body)).toMatchObject([{ accountId: own.id, workspaceId: world.workspaceId }]);
  });

  it('refuses the operator’s secret for an account that has its own, and a stranger’s for all', async () => {
    const body = metaBody('555000222');
    expect((await world.send(path, { headers: metaSignature(body, operatorAppSecret), body })).status).toBe(401);
    expect((await world.send(path, { headers: metaSignature(body, 'whoever'), body })).status).toBe(401);
    expect((await world.send(path, { body })).status).toBe(401);
    expect(await storedBody(body)).toHaveLength(0);
  });

  it('answers the challenge for the operator’s verify token and for that of any active account', async () => {
    const challenge = (token: string) =>
      world.send(`${path}?hub.mode=subscribe&hub.challenge=77&hub.verify_token=${encodeURIComponent(token)}`, {
        method: 'GET',
      });
    expect(await challenge(operatorVerifyToken)).toMatchObject({ status: 200, text: '77' });
    expect((await challenge('a token of a new account')).status).toBe(403);
    const { id } = await world.connect({
      provider: 'meta',
      secrets: { ...withoutOwn, verifyToken: 'a token of a new account' },
    });
    expect(await challenge('a token of a new account')).toMatchObject({ status: 200, text: '77' });
    await world.accounts.update(world.workspaceId, id, { isActive: false });
    expect((await challenge('a token of a new account')).status).toBe(403);
  });
});

describe('/api/instagram/webhook', () => {
  it('finds the account by the entry’s id', async () => {
    const own = await world.connect({ provider: 'instagram', settings: { instagramId: '17841400001' } });
    const body = JSON.stringify({ object: 'instagram', entry: [{ id: '17841400001', time: 1, messaging: [] }] });
    expect((await world.send('/api/instagram/webhook', { headers: metaSignature(body), body })).status).toBe(200);
    expect(await storedBody(body)).toMatchObject([{ accountId: own.id, routeKind: 'instagram_id' }]);
  });
});

describe('/api/whatsapp/webhook-test', () => {
  const path = '/api/whatsapp/webhook-test';
  // The body of the guide: no object, no metadata.
  const guideBody = (id: string) =>
    JSON.stringify({
      entry: [{ id, changes: [{ field: 'messages', value: { messages: [{ id: 'msg_test_123', type: 'text' }] } }] }],
    });
  const keyWith = async (workspaceId: WorkspaceId, scopes: readonly string[]) => {
    const made = await world.workspaces.createApiKey(workspaceId, { name: 'test', scopes });
    if (!made.ok) throw new Error(made.refusal.code);
    return { authorization: `Bearer ${made.value.secret}` };
  };

  it('needs an API key that may do it', async () => {
    const body = guideBody('683178638221369');
    expect((await world.send(path, { body })).status).toBe(401);
    expect((await world.send(path, { body, headers: { authorization: 'Bearer swy_wrong' } })).status).toBe(401);
    const reader = await keyWith(world.workspaceId, ['read']);
    expect((await world.send(path, { body, headers: reader })).status).toBe(403);
  });

  it('routes by the entry’s id where metadata is missing, marks a test, and keeps the key out of what it stores', async () => {
    const { id } = await world.connect({ provider: 'meta', settings: { phoneNumberId: '683178638221369' } });
    const body = guideBody('683178638221369');
    const headers = await keyWith(world.workspaceId, ['write']);
    expect((await world.send(path, { body, headers })).status).toBe(200);
    const [stored] = await storedBody(body);
    expect(stored).toMatchObject({ accountId: id, isTest: true, headers: { authorization: '*' } });
  });

  it('reaches no account of another workspace', async () => {
    const other = await world.workspaces.create('Another shop');
    if (!other.ok) throw new Error(other.refusal.code);
    const headers = await keyWith(other.value.id, ['write']);
    expect((await world.send(path, { body: guideBody('683178638221369'), headers })).status).toBe(404);
  });
});

describe('/whatsapp/webhook and the newer bot’s path', () => {
  const form = (fields: Record<string, string>) => new URLSearchParams(fields).toString();
  const twilioSignature = (path: string, fields: Record<string, string>, token = 'an auth token') => ({
    'content-type': 'application/x-www-form-urlencoded',
    'x-twilio-signature': createHmac('sha1', token)
      .update(
        publicUrl +
          path +
          Object.keys(fields)
            .sort()
            .map((name) => name + fields[name])
            .join(''),
      )
      .digest('base64'),
  });
  const message = (to: string, from = 'whatsapp:+4915550001') => ({
    MessageSid: `SM${randomBytes(16).toString('hex')}`,
    ...{ AccountSid: 'AC00000000000000000000000000000001', From: from, To: to, Body: 'hola', NumMedia: '0' },
  });

  it.each(['/whatsapp/webhook', '/whatsapp-v2/webhook'])('%s tells Twilio’s form from Meta’s JSON', async (path) => {
    const sender = `whatsapp:+1${Math.floor(1e9 + Math.random() * 1e9)}`;
    const twilio = await world.connect({ provider: 'twilio', settings: { sender } });
    const fields = message(sender);
    const answer = await world.send(path, { headers: twilioSignature(path, fields), body: form(fields) });
    expect(answer).toMatchObject({ status: 200, text: '<?xml version="1.0" encoding="UTF-8"?><Response/>' });
    expect(answer.headers['content-type']).toMatch(/^text\/xml/);
    expect(await storedBody(form(fields))).toMatchObject([{ accountId: twilio.id, routeKind: 'twilio_address' }]);
    const body = metaBody('555000111');
    expect((await world.send(path, { headers: metaSignature(body, operatorAppSecret), body })).status).toBe(200);
  });

  it('finds the account of a receipt by From, and that of a messaging service by its AccountSid', async () => {
    const path = '/whatsapp/webhook';
    const bySender = await world.connect({ provider: 'twilio', settings: { sender: '+14155238886' } });
    const receipt = { ...message('whatsapp:+4915550001', 'whatsapp:+14155238886'), MessageStatus: 'delivered' };
    await world.send(path, { headers: twilioSignature(path, receipt), body: form(receipt) });
    expect(await storedBody(form(receipt))).toMatchObject([{ accountId: bySender.id }]);
    const sid = `AC${randomBytes(16).toString('hex')}`;
    const byService = await world.connect({
      provider: 'twilio',
      settings: { accountSid: sid, sender: '', messagingServiceSid: 'MG00000000000000000000000000000001' },
    });
    const toService = { ...message('whatsapp:+19990001'), AccountSid: sid };
    await world.send(path, { headers: twilioSignature(path, toService), body: form(toService) });
    expect(await storedBody(form(toService))).toMatchObject([{ accountId: byService.id }]);
  });

  it('refuses a wrong signature, and a number that nobody here has', async () => {
    const path = '/whatsapp/webhook';
    const fields = message('whatsapp:+14155238886');
    const headers = twilioSignature(path, fields, 'not the token');
    expect((await world.send(path, { headers, body: form(fields) })).status).toBe(401);
    const unknown = message('whatsapp:+10000000');
    const signed = twilioSignature(path, unknown);
    expect((await world.send(path, { headers: signed, body: form(unknown) })).status).toBe(404);
  });

  it('answers Meta’s challenge', async () => {
    const query = `?hub.mode=subscribe&hub.challenge=5&hub.verify_token=${encodeURIComponent(operatorVerifyToken)}`;
    expect(await world.send(`/whatsapp/webhook${query}`, { method: 'GET' })).toMatchObject({ status: 200, text: '5' });
  });
});

describe('Evolution', () => {
  const body = (apikey: string, instance = 'clinic-1') =>
    JSON.stringify({
      ...{ event: 'messages.upsert', instance, data: { note: `"apikey":"${apikey}"` }, n: Math.random() },
      apikey,
    });

  it('is taken by token, with an event behind it or without', async () => {
    const account = await world.connect({ provider: 'evolution' });
    for (const suffix of ['', '/messages-upsert', '/connection-update']) {
      expect((await world.send(account.path + suffix, { body: body('X') })).status).toBe(200);
    }
    expect((await world.send(`${account.path}/no-such-event`, { body: body('X') })).status).toBe(404);
  });

  it('masks the apikey in place, keeps it sealed with the secret headers, and gives all back exactly', async () => {
    const account = await world.connect({ provider: 'evolution' });
    const sent = body('AN-INSTANCE-KEY');
    const headers = { 'content-type': 'application/json', apikey: 'AN-INSTANCE-KEY', 'x-our-secret': 's3cret' };
    expect((await world.send(account.path, { headers, body: sent })).status).toBe(200);
    const stored = (await world.stored()).at(-1);
    const expected = sent.replace(/"apikey":"AN-INSTANCE-KEY"}$/, `"apikey":"${'*'.repeat(15)}"}`);
    expect(stored?.body.toString()).toBe(expected);
    expect(stored?.headers).toMatchObject({ apikey: '*', 'x-our-secret': '*', 'content-type': 'application/json' });
    const rebuilt = rebuildDelivery(stored as never, world.sealer);
    expect(rebuilt.body.toString()).toBe(sent);
    expect(rebuilt.headers).toMatchObject(headers);
  });

  it('is taken by the instance’s name if it brings the key that we hold', async () => {
    const account = await world.connect({ provider: 'evolution', settings: { instance: 'clinic-1' } });
    for (const path of ['/webhooks/evolution/clinic-1', '/webhooks/evolution/clinic-1/messages-upsert']) {
      expect((await world.send(path, { body: body('AN-INSTANCE-KEY') })).status).toBe(200);
      expect((await world.send(path, { body: body('A-GUESS') })).status).toBe(401);
    }
    expect((await world.stored()).at(-1)).toMatchObject({ accountId: account.id, routeKind: 'instance' });
  });

  it.each(['whatsapp', 'test'])('reaches an instance named %s by its token only', async (instance) => {
    const account = await world.connect({ provider: 'evolution', settings: { instance } });
    expect((await world.send(`/webhooks/evolution/${instance}`, { body: body('AN-INSTANCE-KEY') })).status).toBe(404);
    expect((await world.send(account.path, { body: body('AN-INSTANCE-KEY') })).status).toBe(200);
  });

  it('refuses what brings no secret when the account requires one', async () => {
    const account = await world.connect({ provider: 'evolution', settings: { requiresSecret: 'true' } });
    expect((await world.send(account.path, { body: body('A-GUESS') })).status).toBe(401);
    expect((await world.send(account.path, { body: body('AN-INSTANCE-KEY') })).status).toBe(200);
  });
});

describe('the web companion', () => {
  it('is believed once for each nonce', async () => {
    const account = await world.connect({ provider: 'webjs' });
    const body = JSON.stringify({ event: 'message', n: Math.random() });
    const [timestamp, nonce] = [String(Date.now()), randomBytes(12).toString('hex')];
    const hmac = createHmac('sha256', 'a shared key').update(`${timestamp}.${nonce}.${body}`).digest('hex');
    const headers = { 'x-webhook-hmac': hmac, 'x-webhook-timestamp': timestamp, 'x-webhook-nonce': nonce };
    expect((await world.send(account.path, { headers, body })).status).toBe(200);
    expect((await world.send(account.path, { headers, body })).status).toBe(401);
    expect(await storedBody(body)).toHaveLength(1);
  });
});

describe('Twilio by token, behind a proxy', () => {
  it('is checked against PUBLIC_URL, not against what the request says of its host', async () => {
    const account = await world.connect({ provider: 'twilio' });
    const fields = { Body: 'hola', From: 'whatsapp:+4915550001', MessageSid: 'SM1' };
    const text = `${publicUrl}${account.path}BodyholaFromwhatsapp:+4915550001MessageSidSM1`;
    const signature = createHmac('sha1', 'an auth token').update(text).digest('base64');
    const headers = {
      'content-type': 'application/x-www-form-urlencoded',
      'x-twilio-signature': signature,
      ...{ host: 'internal:8080', 'x-forwarded-host': 'evil.example.com', 'x-forwarded-proto': 'http' },
    };
    const answer = await world.send(account.path, { headers, body: new URLSearchParams(fields).toString() });
    expect(answer.status).toBe(200);
  });
});
