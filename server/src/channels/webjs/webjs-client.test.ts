import type { OutboundContent } from '@switchyard/contract';
import { afterAll, describe, expect, test } from 'vitest';
import type { SendingAccount, SendRequest } from '../channel.ts';
import { closeProviderConnections } from '../http/index.ts';
import { answerJson, type Behaviour, startLocalProvider } from '../http/local-provider.ts';
import { webjsChannel } from './index.ts';

afterAll(closeProviderConnections);

const account: SendingAccount = { credentials: { apiKey: 'key' }, settings: { session: 'my shop' } };
const messageId = 'true_15550002222@c.us_3EB0AA';
const request: SendRequest = {
  attemptId: 'att_1',
  to: [
    { kind: 'phone', value: '+15550002222' },
    { kind: 'lid', value: '762@lid' },
  ],
  content: { type: 'text', text: 'Hello' },
};
const taken = answerJson(201, { messageId, timestamp: 1 });

async function send(behave: Behaviour, change: Partial<SendRequest> = {}, who = account) {
  await using provider = await startLocalProvider(behave);
  const outcome = await webjsChannel.send(who, { ...request, ...change }, provider.network());
  const call = provider.calls[0];
  return { outcome, call, body: call ? JSON.parse(call.body) : undefined, calls: provider.calls.length };
}

test('a message goes to the session under our attempt, with all we know of the customer', async () => {
  const { outcome, call, body } = await send(taken, { replyTo: 'false_x_A' });
  expect(outcome).toEqual({ kind: 'sent', providerMessageId: '3EB0AA' });
  expect(call).toMatchObject({
    method: 'POST',
    path: '/sessions/my%20shop/messages',
    headers: { authorization: 'Bearer key' },
  });
  expect(body).toEqual({
    id: 'att_1',
    to: { chatId: '15550002222@c.us', phone: '+15550002222', lid: '762@lid' },
    content: { type: 'text', text: 'Hello' },
    replyTo: { id: 'false_x_A' },
  });
});

test('goes without a key where the companion wants none, and to a LID alone', async () => {
  const { call, body } = await send(taken, { to: [{ kind: 'lid', value: '762' }] }, { ...account, credentials: {} });
  expect(call?.headers.authorization).toBeUndefined();
  expect(body.to).toEqual({ lid: '762@lid' });
});

test('menus go as numbered text, other content as it is', async () => {
  const buttons: OutboundContent = { type: 'buttons', text: 'Sure?', buttons: [{ id: 'y', title: 'Yes' }] };
  expect((await send(taken, { content: buttons })).body.content).toEqual({ type: 'text', text: 'Sure?\n\n1. Yes' });
  const image: OutboundContent = { type: 'image', media: { url: 'https://m/1' }, caption: 'Look' };
  expect((await send(taken, { content: image })).body.content).toEqual(image);
});

const refused: [string, Partial<SendRequest>, SendingAccount?][] = [
  ['content-unsupported', { content: { type: 'template', name: 'x', language: 'en', parameters: [] } }],
  [
    'content-over-limit',
    { content: { type: 'buttons', text: 'x'.repeat(4_095), buttons: [{ id: 'y', title: 'Yes' }] } },
  ],
  ['address-unusable', { to: [{ kind: 'bsuid', value: 'US.1' }] }],
  ['account-incomplete', {}, { credentials: {}, settings: {} }],
];
test.each(refused)('is refused before anything leaves: %s', async (code, change, who) => {
  const { outcome, calls } = await send(taken, change, who);
  expect(outcome).toMatchObject({ kind: 'refused', failure: { code, retry: { kind: 'never' } } });
  expect(calls).toBe(0);
});

describe('what the companion answers', () => {
  const error = (status: number, code: string, headers = {}) =>
    answerJson(status, { error: { code, message: 'Words' } }, headers);
  const cases: [string, Behaviour, object][] = [
    [
      'not_on_whatsapp',
      error(422, 'not_on_whatsapp'),
      { kind: 'refused', failure: { code: 'recipient-unreachable', retry: { kind: 'never' }, detail: 'Words' } },
    ],
    [
      'not_connected',
      error(503, 'not_connected'),
      { kind: 'unreachable', failure: { code: 'not-connected', retry: { kind: 'later' }, isCertain: true } },
    ],
    [
      'restricted',
      error(403, 'restricted'),
      { kind: 'refused', failure: { code: 'account-restricted', retry: { kind: 'later', afterMs: 3_600_000 } } },
    ],
    [
      'quota',
      error(429, 'quota', { 'retry-after': '2' }),
      { kind: 'refused', failure: { code: 'rate-limited', retry: { kind: 'later', afterMs: 2_000 } } },
    ],
    [
      'invalid',
      error(400, 'invalid'),
      { kind: 'refused', failure: { code: 'request-invalid', providerCode: 'invalid', retry: { kind: 'never' } } },
    ],
    [
      'a file whose host does not answer',
      error(424, 'file_unavailable'),
      { kind: 'refused', failure: { code: 'file-unavailable', retry: { kind: 'later' }, isCertain: true } },
    ],
    [
      'a key that the companion does not know yet',
      error(401, 'unauthorized'),
      {
        kind: 'refused',
        failure: { code: 'credentials-refused', retry: { kind: 'later', afterMs: 5_000 }, isCertain: true },
      },
    ],
    [
      'a code that we do not know',
      error(400, 'constructor'),
      { kind: 'refused', failure: { code: 'request-refused' } },
    ],
    ['a wrong key', answerJson(401, {}), { kind: 'refused', failure: { code: 'credentials-refused' } }],
    ['its own failure', answerJson(500, {}), { kind: 'uncertain', failure: { isCertain: false } }],
    ['a success without a message', answerJson(201, {}), { kind: 'uncertain' }],
    ['a success that nobody can read', (response) => response.writeHead(201).end('<p>'), { kind: 'uncertain' }],
    ['a cut connection', (response) => response.destroy(), { kind: 'uncertain' }],
  ];
  test.each(cases)('%s', async (_name, behave, outcome) => {
    expect((await send(behave)).outcome).toMatchObject(outcome);
  });

  test('nothing, for nobody is there', async () => {
    const provider = await startLocalProvider(taken);
    const network = provider.network();
    await provider[Symbol.asyncDispose]();
    expect(await webjsChannel.send(account, request, network)).toMatchObject({ kind: 'unreachable' });
  });
});

test('marking as read names the message, and the chat where it is known', async () => {
  await using provider = await startLocalProvider((response) => response.writeHead(204).end());
  const outcome = await webjsChannel.markRead?.(account, '3EB0AA', provider.network(), request.to);
  expect(outcome).toEqual({ kind: 'sent', providerMessageId: '3EB0AA' });
  expect(provider.calls[0]?.path).toBe('/sessions/my%20shop/read');
  const chat = { chatId: '15550002222@c.us', phone: '+15550002222', lid: '762@lid' };
  expect(JSON.parse(provider.calls[0]?.body ?? '')).toEqual({ messageId: '3EB0AA', ...chat });
});
