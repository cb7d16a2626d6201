import type { InboundEvent } from '@switchyard/contract';
import { describe, expect, test } from 'vitest';
import { webjsChannel } from './index.ts';

const timestamp = 1_750_000_000_123;
const chatId = '15550002222@c.us';
const id = `false_${chatId}_3EB0AA`;
const mine = `true_${chatId}_3EB0AA`;
const payload = {
  id,
  from: chatId,
  to: '15550001111@c.us',
  fromMe: false,
  chatId,
  timestamp: 1_750_000_000,
  type: 'chat',
  body: 'Hi',
};

function read(body: unknown) {
  const bytes = Buffer.from(typeof body === 'string' ? body : JSON.stringify(body));
  return webjsChannel.normalise({ headers: {}, target: '/', body: bytes, receivedAt: '2026-01-01T00:00:00.000Z' });
}

function first(body: unknown): InboundEvent {
  const { events, unreadable } = read(body);
  expect(unreadable).toEqual([]);
  expect(events).toHaveLength(1);
  return events[0] as InboundEvent;
}

const only = (event: string, data: unknown, around: object = {}) =>
  first({ id: 'evt_1', timestamp, event, session: 'shop', me: { id: '15550001111@c.us' }, payload: data, ...around });

describe('a message', () => {
  test('has session and id as key', () => {
    expect(only('message', { ...payload, pushName: 'Ada', replyTo: { id: mine } })).toEqual({
      kind: 'message',
      type: 'text',
      key: `shop:${id}`,
      providerMessageId: '3EB0AA',
      direction: 'in',
      occurredAt: '2025-06-15T15:06:40.000Z',
      bindings: [{ kind: 'session', value: 'shop' }],
      path: '/payload',
      customer: [
        { kind: 'phone', value: '+15550002222' },
        { kind: 'wa_id', value: '15550002222' },
      ],
      profileName: 'Ada',
      content: { type: 'text', text: 'Hi' },
      replyTo: '3EB0AA',
    });
  });

  test('of a LID has the phone beside it where the companion knows it', () => {
    const lid = { ...payload, id: 'false_762@lid_A', chatId: '762@lid', from: '762@lid' };
    expect(only('message', lid)).toMatchObject({ customer: [{ kind: 'lid', value: '762@lid' }] });
    expect(only('message', { ...lid, phone: '+1 555 000 2222', lid: '762' })).toMatchObject({
      customer: [
        { kind: 'phone', value: '+15550002222' },
        { kind: 'wa_id', value: '15550002222' },
        { kind: 'lid', value: '762@lid' },
      ],
    });
  });

  test('of our own is an echo, by its flag or by its id', () => {
    const own = { ...payload, id: mine, fromMe: true, from: '15550001111@c.us', to: chatId, pushName: 'Shop' };
    const { fromMe: _flag, ...unflagged } = own;
    for (const data of [own, unflagged]) {
      const event = only('message.any', data);
      expect(event).toMatchObject({
        type: 'echo',
        direction: 'out',
        customer: [{ kind: 'phone', value: '+15550002222' }, {}],
      });
      expect(event).not.toHaveProperty('profileName');
    }
  });

  test('in a group has its author as customer', () => {
    const group = {
      ...payload,
      id: 'false_120363@g.us_A_15550003333@c.us',
      chatId: '120363@g.us',
      from: '120363@g.us',
    };
    expect(only('message', group)).toMatchObject({ groupId: '120363@g.us', customer: [{ value: '+15550003333' }, {}] });
    expect(only('message', { ...group, participant: '762@lid' })).toMatchObject({ customer: [{ kind: 'lid' }] });
  });

  test.each([
    ['status@broadcast', 'status'],
    ['1@newsletter', 'newsletter'],
  ])('in %s is nobody’s turn', (chat, type) => {
    expect(only('message', { ...payload, chatId: chat, from: chat })).toMatchObject({
      kind: 'unsupported',
      type,
      key: `shop:${id}`,
    });
  });

  test('of nobody is kept as unsupported', () => {
    expect(only('message', { id: 'x', body: 'Hi' })).toMatchObject({
      kind: 'unsupported',
      reason: 'the message names no author',
    });
  });

  test('without an id is unreadable', () => {
    expect(read({ event: 'message', session: 'shop', payload: { body: 'Hi' } })).toEqual({
      events: [],
      unreadable: [{ path: '/payload', reason: 'the message has no id' }],
    });
  });
});

describe('content', () => {
  const { body: _text, type: _chat, ...bare } = payload;
  const file = { url: 'https://c/1', mimetype: 'image/png', filename: '1.png', base64: 'AAAA' };
  const media = { id, url: 'https://c/1', mimeType: 'image/png', fileName: '1.png', base64: 'AAAA' };
  const vcard = 'BEGIN:VCARD\nFN:Bo\nTEL;waid=15550003333:+1\nEND:VCARD';

  const cases: [object, object][] = [
    [
      { type: 'text', body: 'Hi' },
      { type: 'text', text: 'Hi' },
    ],
    [{ body: 'Hi' }, { type: 'text', text: 'Hi' }],
    [
      { type: 'image', media: file, body: 'Look' },
      { type: 'image', media, caption: 'Look' },
    ],
    [
      { media: file, hasMedia: true },
      { type: 'image', media },
    ],
    [{ media: { mimetype: 'image/webp' } }, { type: 'sticker', media: { id, mimeType: 'image/webp' } }],
    [{ media: { mimetype: 'application/pdf' } }, { type: 'document', media: { id, mimeType: 'application/pdf' } }],
    [
      { type: 'ptt', media: { mimetype: 'audio/ogg' } },
      { type: 'audio', media: { id, mimeType: 'audio/ogg' }, isVoice: true },
    ],
    [{ type: 'audio' }, { type: 'audio', media: { id } }],
    [{ type: 'gif' }, { type: 'video', media: { id } }],
    [{ type: 'sticker' }, { type: 'sticker', media: { id } }],
    [
      { type: 'location', location: { latitude: '1.5', longitude: -2, description: 'Shop', address: 'Main St' } },
      { type: 'location', latitude: 1.5, longitude: -2, name: 'Shop', address: 'Main St' },
    ],
    [
      { type: 'vcard', vCards: [vcard] },
      { type: 'contacts', contacts: [{ name: 'Bo', phones: ['+15550003333'], emails: [], vcard }] },
    ],
    [
      { type: 'buttons_response', selectedButtonId: 'y', body: 'Yes' },
      { type: 'button_reply', id: 'y', title: 'Yes' },
    ],
    [
      { type: 'button_reply', selectedId: 'y', body: 'Yes' },
      { type: 'button_reply', id: 'y', title: 'Yes' },
    ],
    [
      { type: 'list_reply', selectedId: 'r', body: 'Red' },
      { type: 'list_reply', id: 'r', title: 'Red' },
    ],
    [
      { type: 'audio', isVoice: true },
      { type: 'audio', media: { id }, isVoice: true },
    ],
    [{ buttonReply: { id: 'y', title: 'Yes' } }, { type: 'button_reply', id: 'y', title: 'Yes' }],
    [
      { type: 'list_response', selectedRowId: 'r', body: 'Red' },
      { type: 'list_reply', id: 'r', title: 'Red' },
    ],
    [
      { listReply: { id: 'r', title: 'Red', description: 'rose' } },
      { type: 'list_reply', id: 'r', title: 'Red', description: 'rose' },
    ],
    [
      { type: 'poll_creation', pollName: 'When?', pollOptions: [{ name: 'Mon' }, { name: 'Tue' }] },
      { type: 'poll', title: 'When?', options: ['Mon', 'Tue'] },
    ],
    [{ poll: { name: 'When?', options: ['Mon'] } }, { type: 'poll', title: 'When?', options: ['Mon'] }],
    [{ type: 'e2e_notification' }, { type: 'system', name: 'e2e_notification' }],
    [
      { type: 'order', body: 'x' },
      { type: 'order', text: 'x', items: [] },
    ],
    [
      { type: 'ciphertext', body: 'x' },
      { type: 'unsupported', name: 'ciphertext', text: 'x' },
    ],
    [{ hasMedia: true }, { type: 'unsupported', name: 'media' }],
    [{}, { type: 'unsupported', name: 'empty' }],
    [
      {
        body: null,
        _data: { message: { listResponseMessage: { title: 'Red', singleSelectReply: { selectedRowId: 'r' } } } },
      },
      { type: 'list_reply', id: 'r', title: 'Red' },
    ],
  ];
  test.each(cases)('%j', (members, content) => {
    expect(only('message', { ...bare, ...members })).toMatchObject({ content });
    expect((only('message', { ...bare, ...members }) as { content: object }).content).toEqual(content);
  });
});

describe('what becomes of a message', () => {
  test.each([
    ['ERROR', 'failed'],
    ['PENDING', 'accepted'],
    ['SERVER', 'sent'],
    ['DEVICE', 'delivered'],
    ['READ', 'read'],
    ['PLAYED', 'played'],
    ['SEEN_BY_AN_OWL', 'unknown'],
  ])('%s is %s, whatever the number says', (ackName, type) => {
    expect(only('message.ack', { id: mine, fromMe: true, chatId, ackName, ack: 1 })).toMatchObject({
      kind: 'status',
      type,
      key: `shop:${mine}:${ackName}`,
      providerMessageId: '3EB0AA',
      occurredAt: '2025-06-15T15:06:40.123Z',
      customer: [{ kind: 'phone', value: '+15550002222' }, {}],
    });
  });

  test.each([
    ['WEBJS', -1, 'failed'],
    ['WEBJS', 0, 'accepted'],
    ['WEBJS', 1, 'sent'],
    ['WEBJS', 2, 'delivered'],
    ['WEBJS', 3, 'read'],
    ['WEBJS', 4, 'played'],
    ['NOWEB', 3, 'delivered'],
    ['NOWEB', 0, 'accepted'],
    ['WEBJS', 9, 'unknown'],
  ])('a number alone is read by the engine: %s %i is %s', (engine, ack, type) => {
    expect(only('message.ack', { id: mine, ack }, { engine })).toMatchObject({ type });
  });

  test.each(['0199f3c2-1111-7abc-8def-001122334455', 'att_0199f3c211117abc8def001122334455'])(
    'our attempt %s comes back as the id of what was sent under it',
    (attempt) => {
      const own = `true_${chatId}_${attempt}`;
      const status = only('message.ack', { id: own, ackName: 'DEVICE' });
      expect(status).toMatchObject({ attemptId: attempt, providerMessageId: attempt, key: `shop:${own}:DEVICE` });
      expect(only('message.any', { ...payload, id: own, fromMe: true })).toMatchObject({
        type: 'echo',
        attemptId: attempt,
      });
      expect(only('message', { ...payload, id: `false_${chatId}_${attempt}` })).not.toHaveProperty('attemptId');
    },
  );

  test('a refusal says why', () => {
    const data = { id: mine, ackName: 'ERROR', error: { code: 463, message: 'restricted' } };
    expect(only('message.ack', data)).toMatchObject({
      errors: [{ code: '463', title: 'restricted' }],
    });
    expect(read({ event: 'message.ack', session: 's', payload: { id: mine } }).unreadable).toHaveLength(1);
  });

  test('a reaction names what it is for; taken away, it has no emoji', () => {
    const data = { ...payload, timestamp: 1_750_000_000.5, reaction: { text: '🙏', messageId: mine } };
    expect(only('message.reaction', data)).toMatchObject({
      type: 'reaction',
      key: `shop:${id}`,
      occurredAt: '2025-06-15T15:06:40.500Z',
      content: { type: 'reaction', targetId: '3EB0AA', emoji: '🙏' },
    });
    expect(only('message.reaction', { ...data, reaction: { text: '', messageId: mine } })).toMatchObject({
      content: { emoji: null },
    });
    expect(read({ event: 'message.reaction', session: 's', payload }).unreadable).toHaveLength(1);
  });

  test('an edit is an event for each new text', () => {
    const edit = only('message.edited', { ...payload, body: 'New' });
    expect(edit).toMatchObject({
      type: 'edit',
      content: { type: 'edit', targetId: '3EB0AA', content: { type: 'text', text: 'New' } },
    });
    expect(edit.key).toMatch(/:edited:[0-9a-f]{16}$/);
    expect(only('message.edited', { ...payload, body: 'Newer' }).key).not.toBe(edit.key);
    expect(only('message.edited', { ...payload, editedMessageId: 'other' })).toMatchObject({
      content: { targetId: 'other' },
    });
  });

  test('a revocation names the message as it was', () => {
    expect(only('message.revoked', { id, chatId, fromMe: false })).toMatchObject({
      type: 'delete',
      key: `shop:${id}:revoked`,
      content: { type: 'delete', targetId: '3EB0AA' },
      customer: [{ value: '+15550002222' }, {}],
    });
    const waha = {
      before: { id, from: chatId, body: 'Hi' },
      after: { id: `false_${chatId}_3EB0ZZ`, from: chatId, body: '' },
    };
    expect(only('message.revoked', waha)).toMatchObject({ content: { targetId: '3EB0AA' }, key: `shop:${id}:revoked` });
    expect(read({ event: 'message.revoked', payload: {} }).unreadable).toHaveLength(1);
  });
});

describe('the session', () => {
  test.each([
    ['STOPPED', 'disconnected'],
    ['STARTING', 'connecting'],
    ['SCAN_QR_CODE', 'connecting'],
    ['PASSKEY_CONFIRMATION_REQUIRED', 'connecting'],
    ['WORKING', 'connected'],
    ['FAILED', 'error'],
    ['UPSIDE_DOWN', 'error'],
  ])('%s is %s', (status, connection) => {
    expect(only('session.status', { status, data: { reachoutTimelock: 1 } })).toMatchObject({
      kind: 'account',
      type: 'connection',
      name: 'session.status',
      key: 'shop:session.status:evt_1',
      connection,
      facts: { status, data: { reachoutTimelock: 1 } },
    });
  });

  test('shows its QR code', () => {
    expect(only('session.qr', { qr: '2@x', image: 'data:image/png;base64,AA', expiresInSeconds: 60 })).toMatchObject({
      type: 'qr',
      qr: { code: '2@x', pairingCode: null, image: 'data:image/png;base64,AA' },
      facts: { expiresInSeconds: 60 },
    });
    expect(only('session.qr', { code: '2@y' })).toMatchObject({ qr: { code: '2@y' }, facts: {} });
  });

  test('without ids is told by what it says', () => {
    const event = (status: string) => first({ event: 'session.status', session: 'shop', payload: { status } }).key;
    expect(event('WORKING')).not.toBe(event('STOPPED'));
    expect(event('WORKING')).toBe(event('WORKING'));
  });
});

test.each([
  ['call.received', 'call'],
  ['presence.update', 'account'],
  ['group.v2.join', 'account'],
  ['chat.archive', 'account'],
  ['label.upsert', 'account'],
  ['state.change', 'account'],
])('%s is kept as %s', (event, type) => {
  expect(only(event, { a: 1 })).toMatchObject({ kind: 'account', type, name: event, facts: { a: 1 } });
});

test('an event that we do not know is kept with its name', () => {
  expect(only('poll.vote', { a: 1 })).toMatchObject({
    kind: 'unsupported',
    type: 'poll.vote',
    key: 'shop:poll.vote:evt_1',
  });
  expect(only('message', 'text')).toMatchObject({ kind: 'unsupported', type: 'message' });
  expect(first({ a: 1 })).toMatchObject({ kind: 'unsupported', type: 'unknown', path: '' });
  expect(first([1])).toMatchObject({ kind: 'unsupported' });
});

test('what is no JSON is unreadable', () => {
  expect(read('{')).toMatchObject({ events: [], unreadable: [{ reason: 'the body is not JSON' }] });
});
