import type { OutboundContent } from '@switchyard/contract';
import { afterAll, describe, expect, test } from 'vitest';
import type { SendingAccount, SendOutcome, SendRequest } from '../channel.ts';
import { closeProviderConnections } from '../http/index.ts';
import { answerJson, type Behaviour, startLocalProvider } from '../http/local-provider.ts';
import { twilioErrors } from './errors.ts';
import { twilioChannel } from './index.ts';

afterAll(closeProviderConnections);

const account: SendingAccount = {
  credentials: { authToken: 'tok' },
  settings: { accountSid: 'AC1', sender: '+15550001111' },
};
const request: SendRequest = {
  attemptId: 'att_1',
  to: [
    { kind: 'bsuid', value: 'US.1' },
    { kind: 'phone', value: '+15550002222' },
  ],
  content: { type: 'text', text: 'Hello & welcome' },
  statusCallbackUrl: 'https://hooks.example.com/webhooks/twilio/whatsapp/t',
};
const taken = answerJson(201, { sid: 'SM9', status: 'queued', error_code: null });

async function send(behave: Behaviour, change: Partial<SendRequest> = {}, who = account) {
  await using provider = await startLocalProvider(behave);
  const outcome = await twilioChannel.send(who, { ...request, ...change }, provider.network());
  const call = provider.calls[0];
  return {
    outcome,
    call,
    form: Object.fromEntries(new URLSearchParams(call?.body ?? '')),
    calls: provider.calls.length,
  };
}

function failureOf(outcome: SendOutcome) {
  return outcome.kind === 'sent' ? undefined : outcome.failure;
}

describe('what goes out', () => {
  test('is a form to the account, with the attempt in the status callback', async () => {
    const { outcome, call, form } = await send(taken);
    expect(outcome).toEqual({ kind: 'sent', providerMessageId: 'SM9' });
    expect(call).toMatchObject({ method: 'POST', path: '/2010-04-01/Accounts/AC1/Messages.json' });
    expect(call?.headers.authorization).toBe(`Basic ${Buffer.from('AC1:tok').toString('base64')}`);
    expect(call?.headers['content-type']).toBe('application/x-www-form-urlencoded');
    expect(form).toEqual({
      To: 'whatsapp:+15550002222',
      From: 'whatsapp:+15550001111',
      Body: 'Hello & welcome',
      StatusCallback: 'https://hooks.example.com/webhooks/twilio/whatsapp/t?attempt=att_1',
    });
  });

  test('leaves a callback that names its attempt as it is', async () => {
    const statusCallbackUrl = 'https://hooks.example.com/t?attempt=other&sig=%27';
    expect((await send(taken, { statusCallbackUrl })).form.StatusCallback).toBe(statusCallbackUrl);
  });

  const contents: readonly (readonly [OutboundContent, Record<string, string>])[] = [
    [
      { type: 'image', media: { url: 'https://m/1.png' }, caption: 'Look' },
      { MediaUrl: 'https://m/1.png', Body: 'Look' },
    ],
    [{ type: 'document', media: { url: 'https://m/1.pdf' } }, { MediaUrl: 'https://m/1.pdf' }],
    [
      { type: 'location', latitude: 1.5, longitude: -2, name: 'Shop', address: 'Main St' },
      { Body: 'Shop', PersistentAction: 'geo:1.5,-2|Main St' },
    ],
    [
      { type: 'location', latitude: 1.5, longitude: -2 },
      { Body: '1.5, -2', PersistentAction: 'geo:1.5,-2' },
    ],
    [
      {
        type: 'buttons',
        text: 'Sure?',
        buttons: [
          { id: 'y', title: 'Yes' },
          { id: 'n', title: 'No' },
        ],
        footer: 'Shop',
      },
      { Body: 'Sure?\n\n1. Yes\n2. No\n\nShop' },
    ],
    [
      {
        type: 'list',
        text: 'Choose',
        button: 'Menu',
        sections: [
          { title: 'Hot', rows: [{ id: 't', title: 'Tea', description: 'green' }] },
          { rows: [{ id: 'w', title: 'Water' }] },
        ],
      },
      { Body: 'Choose\n\nHot\n1. Tea – green\n\n2. Water' },
    ],
    [
      { type: 'template', name: 'HX1', language: 'en', parameters: ['Ada', '5 €'] },
      { ContentSid: 'HX1', ContentVariables: '{"1":"Ada","2":"5 €"}' },
    ],
    [{ type: 'template', name: 'HX1', language: 'en', parameters: [] }, { ContentSid: 'HX1' }],
  ];
  test.each(contents)('of %o', async (content, fields) => {
    const { form, outcome } = await send(taken, { content });
    expect(outcome.kind).toBe('sent');
    const { To: _to, From: _from, StatusCallback: _callback, ...rest } = form;
    expect(rest).toEqual(fields);
  });

  test('goes by messaging service and API key where the account has them', async () => {
    const who = {
      credentials: { authToken: 'tok', apiKeySecret: 'sec' },
      settings: { accountSid: 'AC1', apiKeySid: 'SK1', messagingServiceSid: 'MG1' },
    };
    const { call, form } = await send(taken, {}, who);
    expect(call?.headers.authorization).toBe(`Basic ${Buffer.from('SK1:sec').toString('base64')}`);
    expect(form).toMatchObject({ MessagingServiceSid: 'MG1' });
    expect(form).not.toHaveProperty('From');
  });

  test('goes to a wa_id with a plus, and to a business-scoped id as it is', async () => {
    expect((await send(taken, { to: [{ kind: 'wa_id', value: '1555' }] })).form.To).toBe('whatsapp:+1555');
    expect((await send(taken, { to: [{ kind: 'bsuid', value: 'US.1' }] })).form.To).toBe('whatsapp:US.1');
  });
});

describe('what Twilio cannot carry is refused before anything leaves', () => {
  const cases: readonly [string, Partial<SendRequest>, SendingAccount?][] = [
    ['content-unsupported', { content: { type: 'reaction', targetId: 'SM1', emoji: '👍' } }],
    ['content-unsupported', { content: { type: 'contacts', contacts: [] } }],
    ['content-over-limit', { content: { type: 'text', text: 'x'.repeat(1_601) } }],
    [
      'content-over-limit',
      { content: { type: 'buttons', text: 'x'.repeat(1_599), buttons: [{ id: '1', title: 'One' }] } },
    ],
    ['media-without-address', { content: { type: 'image', media: { base64: 'AAAA' } } }],
    ['template-unknown', { content: { type: 'template', name: 'hello', language: 'en', parameters: [] } }],
    ['address-unusable', { to: [{ kind: 'lid', value: '1@lid' }] }],
    ['account-incomplete', {}, { credentials: {}, settings: { accountSid: 'AC1', sender: '+1' } }],
    ['account-incomplete', {}, { credentials: { authToken: 't' }, settings: { accountSid: 'AC1' } }],
  ];
  test.each(cases)('%s', async (code, change, who) => {
    const { outcome, calls } = await send(taken, change, who);
    expect(outcome).toMatchObject({ kind: 'refused', failure: { code, retry: { kind: 'never' }, isCertain: true } });
    expect(calls).toBe(0);
  });
});

describe('what Twilio answers', () => {
  test.each([...twilioErrors.keys()])('code %s is a certain no with its row of the table', async (providerCode) => {
    const row = twilioErrors.get(providerCode);
    const body = { code: Number(providerCode), message: 'Words', more_info: 'https://x', status: 400 };
    const { outcome } = await send(answerJson(400, body));
    expect(outcome).toMatchObject({
      kind: 'refused',
      failure: { code: row?.code, retry: row?.retry, isCertain: true, providerCode, detail: `${row?.title} (Words)` },
    });
  });

  test('in the newer error form is read as well', async () => {
    const body = { type: 'https://twilio.com/x', title: 'Window', status: 400, code: 63016, detail: 'Outside' };
    expect((await send(answerJson(400, body))).outcome).toMatchObject({
      kind: 'refused',
      failure: { code: 'window-closed', providerCode: '63016', detail: expect.stringContaining('(Outside)') },
    });
  });

  test.each([
    [400, 'refused', true],
    [503, 'refused', true],
    [500, 'uncertain', false],
  ] as const)('a breakdown under HTTP %i is %s: 500 may come when it was taken', async (status, kind, isCertain) => {
    const { outcome } = await send(answerJson(status, { code: 63010, message: 'Internal' }));
    expect(outcome).toMatchObject({ kind, failure: { isCertain, providerCode: '63010' } });
  });

  test('with Retry-After is waited for', async () => {
    const { outcome } = await send(answerJson(429, { code: 20429, message: 'Slow' }, { 'retry-after': '3' }));
    expect(failureOf(outcome)).toMatchObject({ code: 'rate-limited', retry: { kind: 'later', afterMs: 3_000 } });
  });

  test('by a code we do not know goes by its status', async () => {
    expect((await send(answerJson(400, { code: 21999, message: 'New' }))).outcome).toMatchObject({
      kind: 'refused',
      failure: { code: 'request-refused', detail: 'New', providerCode: '21999', retry: { kind: 'never' } },
    });
    expect((await send(answerJson(500, { code: 20500, message: 'Oops' }))).outcome).toMatchObject({
      kind: 'uncertain',
      failure: { isCertain: false, providerCode: '20500' },
    });
  });

  test('with a message that failed at once is a no', async () => {
    const body = { sid: 'SM9', status: 'failed', error_code: 63024, error_message: null };
    expect((await send(answerJson(201, body))).outcome).toMatchObject({
      kind: 'refused',
      failure: { code: 'recipient-unreachable', providerCode: '63024' },
    });
  });

  test.each([
    ['HTML from a proxy, 502', 502, 'uncertain'],
    ['HTML from a proxy, 403', 403, 'refused'],
    ['HTML with 429', 429, 'refused'],
    ['HTML with 200', 200, 'uncertain'],
  ])('%s is %s', async (_name, status, kind) => {
    const { outcome } = await send((response) =>
      response.writeHead(status, { 'content-type': 'text/html' }).end('<p>'),
    );
    expect(outcome.kind).toBe(kind);
  });

  test('with a success that names no message is uncertain', async () => {
    expect((await send(answerJson(201, {}))).outcome).toMatchObject({
      kind: 'uncertain',
      failure: { isCertain: false },
    });
  });

  test('by cutting the connection is uncertain, by not being there unreachable', async () => {
    expect((await send((response) => response.destroy())).outcome.kind).toBe('uncertain');
    const provider = await startLocalProvider(taken);
    const network = provider.network();
    await provider[Symbol.asyncDispose]();
    expect((await twilioChannel.send(account, request, network)).kind).toBe('unreachable');
  });
});
