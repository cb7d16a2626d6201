import type { OutboundContent } from '@switchyard/contract';
import { afterAll, describe, expect, test } from 'vitest';
import type { SendingAccount, SendRequest } from '../channel.ts';
import { closeProviderConnections } from '../http/index.ts';
import { answerJson, type Behaviour, startLocalProvider } from '../http/local-provider.ts';
import { evolutionChannel } from './index.ts';

afterAll(closeProviderConnections);

const v2: SendingAccount = { credentials: { apiKey: 'key' }, settings: { instance: 'my shop' } };
const v1: SendingAccount = { credentials: { apiKey: 'key' }, settings: { instance: 'my shop', version: 'v1' } };
const request: SendRequest = {
  attemptId: 'att_1',
  to: [
    { kind: 'lid', value: '762@lid' },
    { kind: 'phone', value: '+15550002222' },
  ],
  content: { type: 'text', text: 'Hello' },
};
const taken = answerJson(201, {
  key: { id: '3EB0AA', remoteJid: '15550002222@s.whatsapp.net', fromMe: true },
  status: 'PENDING',
});

async function send(behave: Behaviour, who: SendingAccount, change: Partial<SendRequest> = {}) {
  await using provider = await startLocalProvider(behave);
  const outcome = await evolutionChannel.send(who, { ...request, ...change }, provider.network());
  const call = provider.calls[0];
  return { outcome, call, body: call ? JSON.parse(call.body) : undefined, calls: provider.calls.length };
}

const number = '15550002222';

test('a text goes to the instance with its key, and the answer names the message', async () => {
  const { outcome, call, body } = await send(taken, v2);
  expect(outcome).toEqual({ kind: 'sent', providerMessageId: '3EB0AA', customerId: '15550002222@s.whatsapp.net' });
  expect(call).toMatchObject({ method: 'POST', path: '/message/sendText/my%20shop', headers: { apikey: 'key' } });
  expect(body).toEqual({ number, text: 'Hello' });
});

test('a reply quotes by id, each version in its place', async () => {
  const quoted = { key: { id: '3EB0OLD' } };
  expect((await send(taken, v2, { replyTo: '3EB0OLD' })).body).toEqual({ number, text: 'Hello', quoted });
  expect((await send(taken, v1, { replyTo: '3EB0OLD' })).body).toEqual({
    number,
    options: { quoted },
    textMessage: { text: 'Hello' },
  });
});

test('goes to a LID where no phone is known', async () => {
  expect((await send(taken, v2, { to: [{ kind: 'lid', value: '762' }] })).body.number).toBe('762@lid');
});

const buttons: OutboundContent = {
  type: 'buttons',
  text: 'Sure?\nReally?',
  buttons: [
    { id: 'y', title: 'Yes' },
    { id: 'n', title: 'No' },
  ],
};
const list: OutboundContent = {
  type: 'list',
  text: 'Choose',
  button: 'Menu',
  sections: [{ rows: [{ id: 't', title: 'Tea' }] }],
};
const sections = [{ title: 'Menu', rows: [{ title: 'Tea', description: 'Tea', rowId: 't' }] }];
const listFields = { title: 'Choose', description: 'Choose', buttonText: 'Menu', footerText: ' ', sections };
const card = { name: 'Bo', phones: ['+1 555 000 3333'], emails: ['bo@example.com'], organisation: 'Tea' };
const contact = [
  { fullName: 'Bo', wuid: '15550003333', phoneNumber: '+1 555 000 3333', organization: 'Tea', email: 'bo@example.com' },
];
const reaction = { key: { remoteJid: '15550002222@s.whatsapp.net', fromMe: false, id: '3EB0OLD' }, reaction: '👍' };

describe('content', () => {
  const cases: [string, OutboundContent, object, string, object][] = [
    [
      'sendMedia',
      { type: 'image', media: { url: 'https://m/1.png', mimeType: 'image/png', fileName: '1.png' }, caption: 'Look' },
      {
        number,
        mediatype: 'image',
        mimetype: 'image/png',
        media: 'https://m/1.png',
        caption: 'Look',
        fileName: '1.png',
      },
      'sendMedia',
      { number, mediaMessage: { mediatype: 'image', media: 'https://m/1.png', caption: 'Look', fileName: '1.png' } },
    ],
    [
      'sendWhatsAppAudio',
      { type: 'audio', media: { base64: 'AAAA' }, isVoice: true },
      { number, audio: 'AAAA' },
      'sendWhatsAppAudio',
      { number, audioMessage: { audio: 'AAAA' } },
    ],
    [
      'sendMedia',
      { type: 'audio', media: { url: 'https://m/1.mp3' } },
      { number, mediatype: 'audio', media: 'https://m/1.mp3' },
      'sendMedia',
      { number, mediaMessage: { mediatype: 'audio', media: 'https://m/1.mp3' } },
    ],
    [
      'sendSticker',
      { type: 'sticker', media: { url: 'https://m/1.webp' } },
      { number, sticker: 'https://m/1.webp' },
      'sendSticker',
      { number, stickerMessage: { image: 'https://m/1.webp' } },
    ],
    [
      'sendLocation',
      { type: 'location', latitude: 1.5, longitude: -2 },
      { number, latitude: 1.5, longitude: -2, name: '1.5, -2', address: '1.5, -2' },
      'sendLocation',
      { number, locationMessage: { latitude: 1.5, longitude: -2, name: '1.5, -2', address: '1.5, -2' } },
    ],
    [
      'sendContact',
      { type: 'contacts', contacts: [card] },
      { number, contact },
      'sendContact',
      { number, contactMessage: contact },
    ],
    [
      'sendReaction',
      { type: 'reaction', targetId: '3EB0OLD', emoji: '👍' },
      reaction,
      'sendReaction',
      { reactionMessage: reaction },
    ],
    [
      'sendButtons',
      buttons,
      {
        number,
        title: 'Sure?',
        description: 'Really?',
        buttons: [
          { type: 'reply', displayText: 'Yes', id: 'y' },
          { type: 'reply', displayText: 'No', id: 'n' },
        ],
      },
      'sendText',
      { number, textMessage: { text: 'Sure?\nReally?\n\n1. Yes\n2. No' } },
    ],
    ['sendList', list, { number, ...listFields }, 'sendList', { number, listMessage: listFields }],
  ];
  test.each(cases)('%s in both versions', async (name2, content, body2, name1, body1) => {
    const second = await send(taken, v2, { content });
    expect(second.call?.path).toBe(`/message/${name2}/my%20shop`);
    expect(second.body).toEqual(body2);
    const first = await send(taken, v1, { content });
    expect(first.call?.path).toBe(`/message/${name1}/my%20shop`);
    expect(first.body).toEqual(body1);
  });

  test('of menus is text where the account says so', async () => {
    const who = { ...v2, settings: { ...v2.settings, menus: 'text' } };
    expect((await send(taken, who, { content: list })).body).toEqual({ number, text: 'Choose\n\n1. Tea' });
    expect((await send(taken, who, { content: buttons })).call?.path).toBe('/message/sendText/my%20shop');
  });

  const refused: [string, Partial<SendRequest>, SendingAccount?][] = [
    ['content-unsupported', { content: { type: 'template', name: 'x', language: 'en', parameters: [] } }],
    ['content-over-limit', { content: { type: 'text', text: 'x'.repeat(4_097) } }],
    ['media-without-address', { content: { type: 'image', media: { id: 'm1' } } }],
    ['address-unusable', { to: [{ kind: 'instagram', value: '1' }] }],
    ['account-incomplete', {}, { credentials: {}, settings: { instance: 'x' } }],
    ['account-incomplete', {}, { credentials: { apiKey: 'x' }, settings: {} }],
  ];
  test.each(refused)('is refused before anything leaves: %s', async (code, change, who = v2) => {
    const { outcome, calls } = await send(taken, who, change);
    expect(outcome).toMatchObject({ kind: 'refused', failure: { code, retry: { kind: 'never' } } });
    expect(calls).toBe(0);
  });
});

describe('what the server answers', () => {
  const error = (status: number, message: unknown) =>
    answerJson(status, { status, error: 'Bad Request', response: { message } });
  const cases: [string, Behaviour, object][] = [
    [
      'not on WhatsApp',
      error(400, [{ jid: '1@s.whatsapp.net', exists: false, number: '1' }]),
      { kind: 'refused', failure: { code: 'recipient-unreachable', retry: { kind: 'never' }, isCertain: true } },
    ],
    [
      'a schema error, in the list that the validator makes',
      error(400, [['instance requires property "text"', 'number is not of a type(s) string']]),
      {
        kind: 'refused',
        failure: {
          code: 'request-invalid',
          detail: 'instance requires property "text"; number is not of a type(s) string',
          isCertain: true,
        },
      },
    ],
    [
      'a schema error in a plain list',
      error(400, ['instance requires property "text"', 'instance.number is not of a type(s) string']),
      { kind: 'refused', failure: { code: 'request-invalid', retry: { kind: 'never' } } },
    ],
    [
      'a look at the content before it is sent',
      error(400, ['Owned media must be a url or base64']),
      { kind: 'refused', failure: { code: 'request-invalid', detail: 'Owned media must be a url or base64' } },
    ],
    [
      'a database of its own that failed when the message was out',
      error(400, [
        'PrismaClientKnownRequestError: \nInvalid `this.prismaRepository.message.create()` invocation in main.js',
      ]),
      {
        kind: 'uncertain',
        failure: { isCertain: false, retry: { kind: 'never' }, detail: expect.stringContaining('message.create()') },
      },
    ],
    [
      'another of its own parts that lost its connection when the message was out',
      error(400, 'Error: Redis client was disconnected'),
      { kind: 'uncertain', failure: { isCertain: false } },
    ],
    [
      'a closed connection of which more is said',
      error(400, ['Error: Connection Closed by the database']),
      { kind: 'uncertain', failure: { isCertain: false } },
    ],
    [
      'a failure whose text names a schema',
      error(400, ['TypeError: instance requires property of undefined', 'instance requires property "text"']),
      { kind: 'uncertain', failure: { isCertain: false } },
    ],
    ['a 400 that says nothing', error(400, []), { kind: 'uncertain', failure: { isCertain: false } }],
    [
      'a connection that is closed',
      error(400, 'Error: Connection Closed'),
      { kind: 'unreachable', failure: { code: 'not-connected', retry: { kind: 'later' }, isCertain: true } },
    ],
    [
      'the same as 500',
      error(500, ['Connection Closed']),
      { kind: 'unreachable', failure: { code: 'not-connected', isCertain: true } },
    ],
    [
      'a failure of its own as 500 that speaks of a connection',
      error(500, ["PrismaClientInitializationError: Can't reach database server, connection lost"]),
      { kind: 'uncertain', failure: { isCertain: false } },
    ],
    ['a wrong key', error(401, 'Unauthorized'), { kind: 'refused', failure: { code: 'credentials-refused' } }],
    [
      'no such instance',
      error(404, ['The "my shop" instance does not exist']),
      { kind: 'refused', failure: { code: 'instance-missing', retry: { kind: 'never' } } },
    ],
    [
      'its own failure',
      error(500, 'Internal Server Error'),
      { kind: 'uncertain', failure: { isCertain: false, detail: expect.stringContaining('Internal Server Error') } },
    ],
    ['too much', error(429, 'slow'), { kind: 'refused', failure: { code: 'rate-limited', retry: { kind: 'later' } } }],
    ['HTML of a proxy', (response) => response.writeHead(502).end('<p>'), { kind: 'uncertain' }],
    ['a success without a message', answerJson(201, {}), { kind: 'uncertain', failure: { code: 'answer-unreadable' } }],
    ['a cut connection', (response) => response.destroy(), { kind: 'uncertain', failure: { isCertain: false } }],
  ];
  test.each(cases)('%s', async (_name, behave, outcome) => {
    expect((await send(behave, v2)).outcome).toMatchObject(outcome);
  });

  test('nothing, for nobody is there', async () => {
    const provider = await startLocalProvider(taken);
    const network = provider.network();
    await provider[Symbol.asyncDispose]();
    expect(await evolutionChannel.send(v2, request, network)).toMatchObject({
      kind: 'unreachable',
      failure: { isCertain: true },
    });
  });
});

describe('marking as read', () => {
  test.each([
    [v2, 'POST', ['readMessages']],
    [v1, 'PUT', ['read_messages', 'readMessages']],
  ] as const)('names chat and message', async (who, method, names) => {
    await using provider = await startLocalProvider(answerJson(201, { message: 'Read messages', read: 'success' }));
    const outcome = await evolutionChannel.markRead?.(who, '3EB0AA', provider.network(), request.to);
    expect(outcome).toEqual({ kind: 'sent', providerMessageId: '3EB0AA' });
    expect(provider.calls[0]).toMatchObject({ method, path: '/chat/markMessageAsRead/my%20shop' });
    const one = { remoteJid: '15550002222@s.whatsapp.net', fromMe: false, id: '3EB0AA' };
    expect(JSON.parse(provider.calls[0]?.body ?? '')).toEqual(Object.fromEntries(names.map((name) => [name, [one]])));
  });

  test('is refused without a chat', async () => {
    await using provider = await startLocalProvider(taken);
    expect(await evolutionChannel.markRead?.(v2, '3EB0AA', provider.network())).toMatchObject({ kind: 'refused' });
    expect(provider.calls).toHaveLength(0);
  });
});
