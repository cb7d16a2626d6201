import type { OutboundContent } from '@switchyard/contract';
import { afterAll, describe, expect, test } from 'vitest';
import type { SendRequest } from '../channel.ts';
import { closeProviderConnections, maxAnswerBytes, maxRetryAfterMs } from '../http/index.ts';
import { answerJson, type Behaviour, type LocalProvider, startLocalProvider } from '../http/local-provider.ts';
import { metaErrors } from './errors.ts';
import { metaChannel } from './index.ts';

afterAll(closeProviderConnections);

const account = { credentials: { accessToken: 'token-1' }, settings: { phoneNumberId: '1002', graphVersion: 'v99.0' } };
const text: OutboundContent = { type: 'text', text: 'Hello' };
const request = (content: OutboundContent = text, more: Partial<SendRequest> = {}): SendRequest => ({
  attemptId: 'attempt-1',
  to: [{ kind: 'phone', value: '+4915112345678' }],
  content,
  ...more,
});
const accepted = answerJson(200, {
  messaging_product: 'whatsapp',
  contacts: [{ input: '+4915112345678', wa_id: '4915112345678' }],
  messages: [{ id: 'wamid.OUT' }],
});
const bodyOf = (provider: LocalProvider) => JSON.parse(provider.calls[0]?.body ?? 'null');

describe('what is sent', () => {
  test('a text, with its token, version, number and attempt', async () => {
    await using provider = await startLocalProvider(accepted);
    expect(await metaChannel.send(account, request(), provider.network())).toEqual({
      kind: 'sent',
      providerMessageId: 'wamid.OUT',
      customerId: '4915112345678',
    });
    expect(provider.calls).toHaveLength(1);
    expect(provider.calls[0]).toMatchObject({ method: 'POST', path: '/v99.0/1002/messages' });
    expect(provider.calls[0]?.headers).toMatchObject({
      authorization: 'Bearer token-1',
      'content-type': 'application/json',
    });
    expect(bodyOf(provider)).toEqual({
      messaging_product: 'whatsapp',
      recipient_type: 'individual',
      to: '+4915112345678',
      type: 'text',
      text: { body: 'Hello', preview_url: false },
      biz_opaque_callback_data: 'attempt-1',
    });
  });

  const url = 'https://files.example/a.jpg';
  const bodies: readonly (readonly [string, OutboundContent, object])[] = [
    [
      'a link',
      { type: 'text', text: 'See https://a.example' },
      { type: 'text', text: { body: 'See https://a.example', preview_url: true } },
    ],
    [
      'an image',
      { type: 'image', media: { url }, caption: 'Look' },
      { type: 'image', image: { link: url, caption: 'Look' } },
    ],
    ['a video by id', { type: 'video', media: { id: '7', url } }, { type: 'video', video: { id: '7' } }],
    ['a sound', { type: 'audio', media: { url }, caption: 'not taken' }, { type: 'audio', audio: { link: url } }],
    ['a sticker', { type: 'sticker', media: { id: '8' } }, { type: 'sticker', sticker: { id: '8' } }],
    [
      'a document',
      { type: 'document', media: { url, fileName: 'bill.pdf' }, caption: 'Bill' },
      { type: 'document', document: { link: url, filename: 'bill.pdf', caption: 'Bill' } },
    ],
    [
      'a place',
      { type: 'location', latitude: 1, longitude: 2, name: 'Mill' },
      { type: 'location', location: { latitude: 1, longitude: 2, name: 'Mill' } },
    ],
    [
      'a card',
      { type: 'contacts', contacts: [{ name: 'Bo', phones: ['+49301'], emails: [], organisation: 'Reed' }] },
      {
        type: 'contacts',
        contacts: [
          { name: { formatted_name: 'Bo', first_name: 'Bo' }, phones: [{ phone: '+49301' }], org: { company: 'Reed' } },
        ],
      },
    ],
    [
      'a reaction',
      { type: 'reaction', targetId: 'wamid.T', emoji: '🌿' },
      { type: 'reaction', reaction: { message_id: 'wamid.T', emoji: '🌿' } },
    ],
    [
      'a reaction taken away',
      { type: 'reaction', targetId: 'wamid.T', emoji: null },
      { type: 'reaction', reaction: { message_id: 'wamid.T', emoji: '' } },
    ],
    [
      'buttons',
      { type: 'buttons', text: 'Choose', buttons: [{ id: 'y', title: 'Yes' }], footer: 'Soon' },
      {
        type: 'interactive',
        interactive: {
          type: 'button',
          body: { text: 'Choose' },
          footer: { text: 'Soon' },
          action: { buttons: [{ type: 'reply', reply: { id: 'y', title: 'Yes' } }] },
        },
      },
    ],
    [
      'a list',
      {
        type: 'list',
        text: 'Choose',
        button: 'Open',
        sections: [{ title: 'One', rows: [{ id: 'r', title: 'Row', description: 'First' }] }],
      },
      {
        type: 'interactive',
        interactive: {
          type: 'list',
          body: { text: 'Choose' },
          action: {
            button: 'Open',
            sections: [{ title: 'One', rows: [{ id: 'r', title: 'Row', description: 'First' }] }],
          },
        },
      },
    ],
    [
      'a template with parameters',
      { type: 'template', name: 'bill', language: 'de', parameters: ['Ada', '12'] },
      {
        type: 'template',
        template: {
          name: 'bill',
          language: { code: 'de' },
          components: [
            {
              type: 'body',
              parameters: [
                { type: 'text', text: 'Ada' },
                { type: 'text', text: '12' },
              ],
            },
          ],
        },
      },
    ],
    [
      'a template without',
      { type: 'template', name: 'hello', language: 'en_US', parameters: [] },
      { type: 'template', template: { name: 'hello', language: { code: 'en_US' } } },
    ],
    [
      'a template with components of its own',
      { type: 'template', name: 'x', language: 'en', parameters: [], components: [{ type: 'button', index: 0 }] },
      {
        type: 'template',
        template: { name: 'x', language: { code: 'en' }, components: [{ type: 'button', index: 0 }] },
      },
    ],
  ];
  test.each(bodies)('%s', async (_name, content, body) => {
    await using provider = await startLocalProvider(accepted);
    expect(await metaChannel.send(account, request(content), provider.network())).toMatchObject({ kind: 'sent' });
    const { messaging_product, recipient_type, to, biz_opaque_callback_data, ...rest } = bodyOf(provider);
    expect(rest).toEqual(body);
    expect([messaging_product, recipient_type, to, biz_opaque_callback_data]).toEqual([
      'whatsapp',
      'individual',
      '+4915112345678',
      'attempt-1',
    ]);
  });

  test.each([
    [
      [
        { kind: 'phone', value: '+49151' },
        { kind: 'bsuid', value: 'DE.1' },
      ],
      { recipient: 'DE.1' },
    ],
    [[{ kind: 'phone', value: '4915112345678' }], { to: '+4915112345678' }],
    [[{ kind: 'wa_id', value: '5511912345678' }], { to: '+5511912345678' }],
    [
      [
        { kind: 'bsuid', value: 'DE.333' },
        { kind: 'phone', value: '+4915112345678' },
      ],
      { recipient: 'DE.333' },
    ],
    [
      [
        { kind: 'lid', value: '99' },
        { kind: 'wa_id', value: '4915112345678' },
      ],
      { to: '+4915112345678' },
    ],
  ])('to %j as %j', async (to, address) => {
    await using provider = await startLocalProvider(accepted);
    await metaChannel.send(account, request(text, { to }), provider.network());
    const { to: phone, recipient } = bodyOf(provider);
    expect({ ...(phone && { to: phone }), ...(recipient && { recipient }) }).toEqual(address);
  });

  test('a reply quotes', async () => {
    await using provider = await startLocalProvider(accepted);
    await metaChannel.send(account, request(text, { replyTo: 'wamid.Q' }), provider.network());
    expect(bodyOf(provider).context).toEqual({ message_id: 'wamid.Q' });
  });

  test('a mark as read', async () => {
    await using provider = await startLocalProvider(answerJson(200, { success: true }));
    expect(await metaChannel.markRead?.(account, 'wamid.IN', provider.network())).toMatchObject({ kind: 'sent' });
    expect(bodyOf(provider)).toEqual({ messaging_product: 'whatsapp', status: 'read', message_id: 'wamid.IN' });
  });
});

describe('what is refused before anything leaves', () => {
  const long = 'x'.repeat(4_097);
  const four = Array.from({ length: 4 }, (_none, index) => ({ id: `${index}`, title: `${index}` }));
  const eleven = Array.from({ length: 11 }, (_none, index) => ({ id: `${index}`, title: `${index}` }));
  const cases: readonly (readonly [string, string, SendRequest, typeof account])[] = [
    ['no address', 'address-unusable', request(text, { to: [{ kind: 'instagram', value: '1' }] }), account],
    ['no address at all', 'address-unusable', request(text, { to: [] }), account],
    ['an empty text', 'content-over-limit', request({ type: 'text', text: '' }), account],
    ['too long a text', 'content-over-limit', request({ type: 'text', text: long }), account],
    ['too many buttons', 'content-over-limit', request({ type: 'buttons', text: 'a', buttons: four }), account],
    ['no button', 'content-over-limit', request({ type: 'buttons', text: 'a', buttons: [] }), account],
    [
      'too many rows',
      'content-over-limit',
      request({ type: 'list', text: 'a', button: 'b', sections: [{ rows: eleven }] }),
      account,
    ],
    ['bytes alone', 'media-without-address', request({ type: 'image', media: { base64: 'aGk=' } }), account],
    ['no token', 'account-incomplete', request(), { ...account, credentials: { accessToken: '' } }],
    ['no number', 'account-incomplete', request(), { ...account, settings: { phoneNumberId: '', graphVersion: '' } }],
  ];
  test.each(cases)('%s', async (_name, code, refused, of) => {
    await using provider = await startLocalProvider(accepted);
    expect(await metaChannel.send(of, refused, provider.network())).toMatchObject({
      kind: 'refused',
      failure: { code, retry: { kind: 'never' }, isCertain: true },
    });
    expect(provider.calls).toHaveLength(0);
  });
});

describe('what Meta answers', () => {
  const sendTo = async (behave: Behaviour, timeouts = {}) => {
    await using provider = await startLocalProvider(behave);
    return await metaChannel.send(account, request(), provider.network(timeouts));
  };
  const graphError = (code: number | undefined, more: object = {}) => ({
    error: {
      message: `(#${code}) Refused`,
      type: 'OAuthException',
      code,
      error_data: { details: 'Because.' },
      ...more,
    },
  });
  const day = 24 * 60 * 60 * 1_000;

  test.each([
    [0, 'token-invalid', { kind: 'never' }],
    [190, 'token-invalid', { kind: 'never' }],
    [10, 'permission-missing', { kind: 'never' }],
    [200, 'permission-missing', { kind: 'never' }],
    [299, 'permission-missing', { kind: 'never' }],
    [1, 'provider-error', { kind: 'later', afterMs: 5_000 }],
    [131000, 'provider-error', { kind: 'later', afterMs: 5_000 }],
    [2, 'provider-unavailable', { kind: 'later' }],
    [131016, 'provider-unavailable', { kind: 'later' }],
    [4, 'app-rate-limited', { kind: 'later', afterMs: 300_000 }],
    [80007, 'app-rate-limited', { kind: 'later', afterMs: 300_000 }],
    [130429, 'throughput-limited', { kind: 'later', afterMs: 1_000 }],
    [131056, 'pair-limited', { kind: 'later', afterMs: 4_000 }],
    [131048, 'spam-limited', { kind: 'never' }],
    [131049, 'withheld', { kind: 'later', afterMs: day }],
    [130472, 'withheld', { kind: 'never' }],
    [131026, 'recipient-unreachable', { kind: 'never' }],
    [131047, 'window-closed', { kind: 'never' }],
    [131050, 'marketing-stopped', { kind: 'never' }],
    [132015, 'template-paused', { kind: 'never' }],
    [131031, 'account-blocked', { kind: 'never' }],
    [131042, 'payment-missing', { kind: 'never' }],
    [100, 'request-invalid', { kind: 'never' }],
    [131062, 'recipient-needs-phone', { kind: 'never' }],
    [134101, 'template-syncing', { kind: 'later', afterMs: 600_000 }],
  ])('code %i is a certain %s, whatever the HTTP status', async (code, failure, retry) => {
    for (const status of [200, 400, 403, 429, 503]) {
      expect(await sendTo(answerJson(status, graphError(code)))).toEqual({
        kind: 'refused',
        failure: {
          code: failure,
          detail: `(#${code}) Refused: Because.`,
          retry,
          isCertain: true,
          providerCode: String(code),
        },
      });
    }
  });

  test.each([1, 2, 131000, 131016, 133004])('code %i under a 5xx of whoever took it up is uncertain', async (code) => {
    for (const status of [500, 502, 504]) {
      expect(await sendTo(answerJson(status, graphError(code)))).toMatchObject({
        kind: 'uncertain',
        failure: { code: 'provider-error', retry: { kind: 'never' }, isCertain: false, providerCode: String(code) },
      });
    }
  });

  test('no code stands in two rows', () => {
    const codes = metaErrors.flatMap((row) => row.codes ?? []);
    expect(new Set(codes).size).toBe(codes.length);
  });

  test.each([
    ['17', 17_000],
    ['99999999', maxRetryAfterMs],
    ['nonsense', 1_000],
  ])('Retry-After %s makes it %i ms', async (header, afterMs) => {
    expect(await sendTo(answerJson(400, graphError(130429), { 'retry-after': header }))).toMatchObject({
      kind: 'refused',
      failure: { retry: { kind: 'later', afterMs } },
    });
  });

  test('a date as Retry-After is a wait from now', async () => {
    const inAMinute = new Date(Date.now() + 60_000).toUTCString();
    const outcome = await sendTo(answerJson(429, graphError(4), { 'retry-after': inAMinute }));
    const retry = outcome.kind === 'refused' ? outcome.failure.retry : undefined;
    expect(retry?.kind === 'later' && retry.afterMs).toBeGreaterThan(40_000);
    expect(retry?.kind === 'later' && retry.afterMs).toBeLessThanOrEqual(60_000);
  });

  test('a code in a string is a code', async () => {
    const error = { error: { message: 'x', code: '131047' } };
    expect(await sendTo(answerJson(400, error))).toMatchObject({ kind: 'refused', failure: { code: 'window-closed' } });
  });

  test.each([
    [400, {}, 'refused', 'provider-refused', 'never'],
    [401, {}, 'refused', 'token-invalid', 'never'],
    [429, {}, 'refused', 'rate-limited', 'later'],
    [400, { is_transient: true }, 'refused', 'provider-unavailable', 'later'],
    [503, { is_transient: true }, 'refused', 'provider-unavailable', 'later'],
    [500, { is_transient: true }, 'uncertain', 'provider-error', 'never'],
    [500, {}, 'uncertain', 'provider-error', 'never'],
    [200, {}, 'refused', 'provider-refused', 'never'],
  ])('an unknown code under %i %j is %s: %s', async (status, more, kind, code, retry) => {
    for (const providerCode of [999_999, undefined]) {
      expect(await sendTo(answerJson(status, graphError(providerCode, more)))).toMatchObject({
        kind,
        failure: { code, retry: { kind: retry }, isCertain: kind === 'refused' },
      });
    }
  });

  const uncertain: readonly (readonly [string, Behaviour, object])[] = [
    ['a bare 500', (response) => response.writeHead(500).end(), {}],
    [
      'a 502 of a proxy',
      (response) => response.writeHead(502, { 'content-type': 'text/html' }).end('<html>Bad gateway</html>'),
      {},
    ],
    ['a 200 with HTML', (response) => response.writeHead(200).end('<html>Welcome</html>'), {}],
    ['a 200 with nothing', (response) => response.writeHead(200).end(), {}],
    ['a 200 with half the JSON', (response) => response.writeHead(200).end('{"messages":[{"id":"wam'), {}],
    ['a 200 without an id', answerJson(200, { messages: [] }), {}],
    ['a 200 with an id that is none', answerJson(200, { messages: [{ id: { a: 1 } }] }), {}],
    ['a 202 with other JSON', answerJson(202, { queued: true }), {}],
    ['a 200 that is huge', answerJson(200, { messages: [{ id: 'wamid.X' }], filler: 'x'.repeat(maxAnswerBytes) }), {}],
    ['a reset after the request', (response) => response.destroy(), {}],
    ['no answer in time', () => {}, { headersMs: 100 }],
  ];
  test.each(uncertain)('%s may have been sent', async (_name, behave, timeouts) => {
    expect(await sendTo(behave, timeouts)).toMatchObject({
      kind: 'uncertain',
      failure: { isCertain: false, retry: { kind: 'never' } },
    });
  });

  test('a bare 404 or 429 is a certain no', async () => {
    expect(await sendTo((response) => response.writeHead(404).end('<html>'))).toMatchObject({
      kind: 'refused',
      failure: { code: 'request-refused', retry: { kind: 'never' }, isCertain: true },
    });
    expect(await sendTo((response) => response.writeHead(429, { 'retry-after': '3' }).end())).toMatchObject({
      kind: 'refused',
      failure: { code: 'rate-limited', retry: { kind: 'later', afterMs: 3_000 }, isCertain: true },
    });
  });

  test('a closed port is unreachable: surely not sent', async () => {
    const provider = await startLocalProvider(accepted);
    const network = provider.network();
    await provider[Symbol.asyncDispose]();
    expect(await metaChannel.send(account, request(), network)).toMatchObject({
      kind: 'unreachable',
      failure: { code: 'connection-refused', retry: { kind: 'later' }, isCertain: true },
    });
  });

  test('no token and no number stands in a failure', async () => {
    const outcomes = [
      await sendTo(answerJson(401, graphError(190))),
      await sendTo((response) => response.destroy()),
      await sendTo((response) => response.writeHead(500).end()),
    ];
    expect(JSON.stringify(outcomes)).not.toMatch(/token-1|4915112345678/);
  });
});
