import type { OutboundContent } from '@switchyard/contract';
import { afterAll, describe, expect, test } from 'vitest';
import { closeProviderConnections } from '../http/index.ts';
import { answerJson, type LocalProvider, startLocalProvider } from '../http/local-provider.ts';
import { instagramChannel } from './index.ts';

afterAll(closeProviderConnections);

const account = { credentials: { accessToken: 'token-1' }, settings: { instagramId: '178', graphVersion: '' } };
const reader = [{ kind: 'instagram', value: '2500' }];
const request = (content: OutboundContent, to = reader) => ({
  attemptId: 'attempt-1',
  to,
  content,
});
const accepted = answerJson(200, { recipient_id: '2500', message_id: 'mid.OUT' });
const bodyOf = (provider: LocalProvider) => JSON.parse(provider.calls[0]?.body ?? 'null');
const url = 'https://files.example/a.jpg';

describe('what is sent', () => {
  test.each<readonly [string, OutboundContent, object]>([
    ['a text', { type: 'text', text: 'Hello' }, { text: 'Hello' }],
    [
      'buttons as quick replies',
      { type: 'buttons', text: 'Choose', buttons: [{ id: 'y', title: 'Yes' }] },
      { text: 'Choose', quick_replies: [{ content_type: 'text', title: 'Yes', payload: 'y' }] },
    ],
    ['an image', { type: 'image', media: { url } }, { attachment: { type: 'image', payload: { url } } }],
    [
      'a video by id',
      { type: 'video', media: { id: '7' } },
      { attachment: { type: 'video', payload: { attachment_id: '7' } } },
    ],
    ['a document', { type: 'document', media: { url } }, { attachment: { type: 'file', payload: { url } } }],
  ])('%s', async (_name, content, message) => {
    await using provider = await startLocalProvider(accepted);
    expect(await instagramChannel.send(account, request(content), provider.network())).toEqual({
      kind: 'sent',
      providerMessageId: 'mid.OUT',
      customerId: '2500',
    });
    expect(provider.calls[0]).toMatchObject({ method: 'POST', path: '/v24.0/me/messages' });
    expect(provider.calls[0]?.headers.authorization).toBe('Bearer token-1');
    expect(bodyOf(provider)).toEqual({ recipient: { id: '2500' }, messaging_type: 'RESPONSE', message });
  });

  test('an answer of a page names the message only', async () => {
    await using provider = await startLocalProvider(answerJson(200, { message_id: 'mid.OUT' }));
    const outcome = await instagramChannel.send(account, request({ type: 'text', text: 'Hi' }), provider.network());
    expect(outcome).toEqual({ kind: 'sent', providerMessageId: 'mid.OUT' });
  });
});

test.each<readonly [string, string, OutboundContent, { kind: string; value: string }[]]>([
  ['a template', 'content-unsupported', { type: 'template', name: 'x', language: 'en', parameters: [] }, reader],
  ['a place', 'content-unsupported', { type: 'location', latitude: 1, longitude: 2 }, reader],
  ['a list', 'content-unsupported', { type: 'list', text: 'a', button: 'b', sections: [] }, reader],
  ['a caption', 'caption-unsupported', { type: 'image', media: { url }, caption: 'Look' }, reader],
  ['bytes alone', 'media-without-address', { type: 'image', media: { base64: 'aGk=' } }, reader],
  ['too long a text', 'content-over-limit', { type: 'text', text: 'x'.repeat(1_001) }, reader],
  ['a phone', 'address-unusable', { type: 'text', text: 'Hi' }, [{ kind: 'phone', value: '+4915112345678' }]],
])('refuses %s before anything leaves', async (_name, code, content, to) => {
  await using provider = await startLocalProvider(accepted);
  expect(await instagramChannel.send(account, request(content, to), provider.network())).toMatchObject({
    kind: 'refused',
    failure: { code, retry: { kind: 'never' }, isCertain: true },
  });
  expect(provider.calls).toHaveLength(0);
});

test.each([
  [10, 2534022, 'window-closed', 'never'],
  [10, 2018278, 'window-closed', 'never'],
  [10, undefined, 'permission-missing', 'never'],
  [200, undefined, 'permission-missing', 'never'],
  [190, undefined, 'token-invalid', 'never'],
  [100, 2534014, 'recipient-unreachable', 'never'],
  [100, undefined, 'request-invalid', 'never'],
  [551, undefined, 'recipient-unreachable', 'never'],
  [368, undefined, 'account-blocked', 'never'],
  [4, undefined, 'app-rate-limited', 'later'],
  [613, undefined, 'rate-limited', 'later'],
  [36000, undefined, 'media-not-usable', 'never'],
  [1, undefined, 'provider-error', 'later'],
  [2, undefined, 'provider-unavailable', 'later'],
])('code %i, subcode %j is a certain %s, inside a 200 too', async (code, error_subcode, failure, retry) => {
  for (const status of [200, 400, code < 3 ? 503 : 500]) {
    await using provider = await startLocalProvider(
      answerJson(status, { error: { message: 'x', code, error_subcode } }),
    );
    const outcome = await instagramChannel.send(account, request({ type: 'text', text: 'Hi' }), provider.network());
    expect(outcome).toMatchObject({
      kind: 'refused',
      failure: { code: failure, retry: { kind: retry }, isCertain: true, providerCode: String(code) },
    });
  }
});

test.each([1, 2])('code %i inside a 500 is uncertain: it may have been taken first', async (code) => {
  await using provider = await startLocalProvider(answerJson(500, { error: { message: 'x', code } }));
  const outcome = await instagramChannel.send(account, request({ type: 'text', text: 'Hi' }), provider.network());
  expect(outcome).toMatchObject({ kind: 'uncertain', failure: { isCertain: false, providerCode: String(code) } });
});

test('a lost answer is uncertain', async () => {
  await using provider = await startLocalProvider((response) => response.destroy());
  const outcome = await instagramChannel.send(account, request({ type: 'text', text: 'Hi' }), provider.network());
  expect(outcome).toMatchObject({ kind: 'uncertain', failure: { isCertain: false } });
});
