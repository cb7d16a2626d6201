import type { InboundEvent } from '@switchyard/contract';
import { describe, expect, test } from 'vitest';
import { evolutionChannel } from './index.ts';

const dateTime = '2026-03-01T10:00:00.123Z';
const key = { remoteJid: '15550002222@s.whatsapp.net', fromMe: false, id: '3EB0AA' };
const message = {
  key,
  pushName: 'Ada',
  message: { conversation: 'Hi' },
  messageType: 'conversation',
  messageTimestamp: 1_750_000_000,
};

function read(body: unknown, target = '/webhooks/evolution/whatsapp/t') {
  const bytes = Buffer.from(typeof body === 'string' ? body : JSON.stringify(body));
  return evolutionChannel.normalise({ headers: {}, target, body: bytes, receivedAt: '2026-03-01T13:00:01.000Z' });
}

function only(event: string, data: unknown, around: object = {}): InboundEvent {
  const result = read({ event, instance: 'shop', data, date_time: dateTime, apikey: 'S3CRET', ...around });
  expect(result.unreadable).toEqual([]);
  expect(result.events).toHaveLength(1);
  expect(JSON.stringify(result)).not.toContain('S3CRET');
  return result.events[0] as InboundEvent;
}

describe('messages.upsert', () => {
  test('is a message under instance, chat, side and id', () => {
    expect(only('messages.upsert', message)).toEqual({
      kind: 'message',
      type: 'text',
      key: 'shop:15550002222@s.whatsapp.net:false:3EB0AA',
      providerMessageId: '3EB0AA',
      direction: 'in',
      occurredAt: '2025-06-15T15:06:40.000Z',
      bindings: [{ kind: 'instance', value: 'shop' }],
      path: '/data',
      customer: [
        { kind: 'phone', value: '+15550002222' },
        { kind: 'wa_id', value: '15550002222' },
      ],
      profileName: 'Ada',
      content: { type: 'text', text: 'Hi' },
    });
  });

  test.each([
    'MESSAGES_UPSERT',
    'messages-upsert',
    'Messages.Upsert',
    'send.message',
    'SEND_MESSAGE',
    'send.message.update',
  ])('is spelt %s too', (name) => {
    expect(only(name, message)).toMatchObject({ kind: 'message', key: 'shop:15550002222@s.whatsapp.net:false:3EB0AA' });
  });

  test('of v1 has its content inside, of v2 beside it', () => {
    const contextInfo = { stanzaId: '3EB0OLD' };
    const v1 = { ...message, message: { extendedTextMessage: { text: 'Hi', contextInfo } }, owner: 'shop' };
    const v2 = { ...message, contextInfo, instanceId: 'uuid', source: 'ios' };
    for (const data of [v1, v2]) {
      expect(only('messages.upsert', data)).toMatchObject({ content: { text: 'Hi' }, replyTo: '3EB0OLD' });
    }
  });

  test('of our own is an echo', () => {
    expect(only('messages.upsert', { ...message, key: { ...key, fromMe: true } })).toMatchObject({
      type: 'echo',
      direction: 'out',
      key: 'shop:15550002222@s.whatsapp.net:true:3EB0AA',
    });
  });

  test('in a group has its author in the key', () => {
    const group = { remoteJid: '120363@g.us', fromMe: false, id: 'A', participant: '762@lid' };
    expect(only('messages.upsert', { ...message, key: group })).toMatchObject({
      key: 'shop:120363@g.us:false:A:762@lid',
      groupId: '120363@g.us',
    });
  });

  test('is a list at times, and a bad item harms no neighbour', () => {
    const { events, unreadable } = read({
      event: 'messages.upsert',
      instance: 'shop',
      data: [message, { key: {} }, 7, { ...message, key: { ...key, id: '3EB0BB' } }],
    });
    expect(events.map(({ key: one, path }) => [one.slice(-6), path])).toEqual([
      ['3EB0AA', '/data/0'],
      ['3EB0BB', '/data/3'],
    ]);
    expect(unreadable).toEqual([
      { path: '/data/1', reason: 'the message has no key.id' },
      { path: '/data/2', reason: 'the message has no key.id' },
    ]);
  });

  test('in Baileys’ own form tells news from history', () => {
    const data = (type: string) => ({ type, messages: [message] });
    expect(only('messages.upsert', data('notify'))).not.toHaveProperty('isHistory');
    expect(only('messages.upsert', data('append'))).toMatchObject({ isHistory: true, path: '/data/messages/0' });
  });

  test('of an import is history', () => {
    expect(only('messages.set', [message])).toMatchObject({ kind: 'message', isHistory: true, path: '/data/0' });
    expect(only('messages.set', { messages: [message] })).toMatchObject({ isHistory: true });
  });

  test('is found by the URL’s suffix, or by its shape, where the body names no event', () => {
    const bare = { instance: 'shop', data: message };
    expect(read(bare, '/webhooks/evolution/whatsapp/t/messages-upsert?x=1').events[0]).toMatchObject({
      kind: 'message',
    });
    expect(read(message).events[0]).toMatchObject({
      kind: 'message',
      key: '15550002222@s.whatsapp.net:false:3EB0AA',
      path: '',
    });
    expect(read({ message: { conversation: 'x' } }).events[0]).toMatchObject({ kind: 'unsupported', type: 'unknown' });
  });

  test('of status and channels is nobody’s turn', () => {
    expect(only('messages.upsert', { ...message, key: { ...key, remoteJid: 'status@broadcast' } })).toMatchObject({
      kind: 'unsupported',
      type: 'status',
    });
  });
});

describe('what becomes of a message', () => {
  test.each([
    ['ERROR', 'failed'],
    ['PENDING', 'accepted'],
    ['SERVER_ACK', 'sent'],
    ['DELIVERY_ACK', 'delivered'],
    ['READ', 'read'],
    ['PLAYED', 'played'],
    ['DELETED', 'deleted'],
  ])('%s is %s, in v2, v1 and as a list', (status, type) => {
    const v2 = { keyId: '3EB0AA', remoteJid: '15550002222@s.whatsapp.net', fromMe: true, status, messageId: 'cm1' };
    const v1 = { ...key, status, datetime: 1_750_000_000_000, owner: 'shop' };
    for (const data of [v2, v1, [v2], { key, update: { status } }]) {
      expect(only('messages.update', data)).toMatchObject({
        kind: 'status',
        type,
        key: `3EB0AA:${status}`,
        providerMessageId: '3EB0AA',
        bindings: [{ kind: 'instance', value: 'shop' }],
        errors: status === 'ERROR' ? [{ code: 'ERROR', title: 'WhatsApp refused the message' }] : [],
      });
    }
    expect(only('messages.update', v1)).toMatchObject({ occurredAt: '2025-06-15T15:06:40.000Z' });
  });

  test('an update that names no message is unreadable; one without status is kept', () => {
    const body = { event: 'messages.update', instance: 'shop', data: { status: 'READ' } };
    expect(read(body)).toMatchObject({
      events: [],
      unreadable: [{ path: '/data', reason: 'the update names no message' }],
    });
    expect(only('messages.update', { keyId: 'A', pollUpdates: [{}] })).toMatchObject({
      kind: 'unsupported',
      type: 'poll vote',
    });
  });

  test('a deletion has a key of its own beside the message', () => {
    for (const data of [key, { key }, [key]]) {
      expect(only('messages.delete', data)).toMatchObject({
        kind: 'message',
        type: 'delete',
        key: 'shop:15550002222@s.whatsapp.net:false:3EB0AA:deleted',
        content: { type: 'delete', targetId: '3EB0AA' },
        customer: [{ kind: 'phone', value: '+15550002222' }, { kind: 'wa_id' }],
      });
    }
    expect(only('messages.delete', { ...key, fromMe: true })).toMatchObject({ type: 'echo', direction: 'out' });
  });

  test('an edit carries the new content, and each edit is an event', () => {
    const edit = { key, type: 'MESSAGE_EDIT', editedMessage: { conversation: 'New' }, timestampMs: '1750000000001' };
    expect(only('messages.edited', edit)).toMatchObject({
      type: 'edit',
      key: 'shop:15550002222@s.whatsapp.net:false:3EB0AA:edited:1750000000001',
      occurredAt: '2025-06-15T15:06:40.001Z',
      content: { type: 'edit', targetId: '3EB0AA', content: { type: 'text', text: 'New' } },
    });
    const { timestampMs: _none, ...timeless } = edit;
    const other = { ...timeless, editedMessage: { conversation: 'Newer' } };
    expect(only('messages.edited', timeless).key).not.toBe(only('messages.edited', other).key);
    expect(only('messages.edited', { protocolMessage: edit })).toMatchObject({ type: 'edit' });
  });

  test('a reaction and a deletion come as messages too', () => {
    const reaction = { reactionMessage: { key: { id: '3EB0OLD' }, text: '👍' } };
    expect(only('messages.upsert', { ...message, message: reaction })).toMatchObject({
      type: 'reaction',
      content: { targetId: '3EB0OLD', emoji: '👍' },
    });
    const revoke = { protocolMessage: { type: 0, key: { id: '3EB0OLD' } } };
    expect(only('messages.upsert', { ...message, message: revoke })).toMatchObject({
      type: 'delete',
      content: { targetId: '3EB0OLD' },
    });
  });
});

describe('the connection', () => {
  test.each([
    ['connecting', 200, 'connecting', undefined],
    ['open', 200, 'connected', undefined],
    ['close', 405, 'disconnected', true],
    ['close', 440, 'disconnected', true],
    ['close', 401, 'disconnected', false],
    ['close', 403, 'disconnected', false],
    ['refused', 428, 'error', false],
    ['sideways', 1, 'error', undefined],
  ])('%s (%i) is %s', (state, statusReason, connection, reconnects) => {
    const event = only('connection.update', { instance: 'shop', state, statusReason, wuid: '1555@s.whatsapp.net' });
    expect(event).toMatchObject({
      kind: 'account',
      type: 'connection',
      name: 'connection.update',
      key: `connection.update:${dateTime}`,
      occurredAt: null,
      connection,
      facts: { state, statusReason, wuid: '1555@s.whatsapp.net' },
    });
    expect((event as { facts: object }).facts).toMatchObject(reconnects === undefined ? {} : { reconnects });
  });

  test('of another instance in the data is bound to both', () => {
    expect(only('connection.update', { instance: 'rival', state: 'open' }).bindings).toEqual([
      { kind: 'instance', value: 'shop' },
      { kind: 'instance', value: 'rival' },
    ]);
  });

  test('ends with status.instance, a log-out or a removal', () => {
    const closed = { instance: 'shop', status: 'closed', disconnectionReasonCode: 401, disconnectionObject: '{…}' };
    expect(only('status.instance', closed)).toMatchObject({
      connection: 'disconnected',
      facts: { reconnects: false, disconnectionReasonCode: 401 },
    });
    expect(only('logout.instance', { instanceName: 'shop' })).toMatchObject({ connection: 'disconnected' });
    expect(only('REMOVE_INSTANCE', null)).toMatchObject({ connection: 'disconnected', name: 'remove.instance' });
  });

  test('without a time has its data as key', () => {
    const close = read({ event: 'connection.update', instance: 'shop', data: { state: 'close' } }).events[0];
    const open = read({ event: 'connection.update', instance: 'shop', data: { state: 'open' } }).events[0];
    expect(close?.key).toMatch(/^connection\.update:[0-9a-f]{16}$/);
    expect(open?.key).not.toBe(close?.key);
  });
});

describe('a QR code', () => {
  test('is shown, and stands nowhere but there', () => {
    const qrcode = { instance: 'shop', pairingCode: 'ABCD', code: '2@x', base64: 'data:image/png;base64,AA' };
    expect(only('qrcode.updated', { qrcode })).toMatchObject({
      type: 'qr',
      key: `qrcode.updated:${dateTime}`,
      qr: { code: '2@x', pairingCode: 'ABCD', image: 'data:image/png;base64,AA' },
      facts: {},
    });
  });

  test('that nobody scanned says so', () => {
    expect(only('qrcode.updated', { message: 'QR code limit reached', statusCode: 500 })).toMatchObject({
      qr: { code: null, pairingCode: null, image: null },
      facts: { message: 'QR code limit reached', statusCode: 500 },
    });
  });
});

describe('other news', () => {
  test.each([
    ['contacts.update', 'contact'],
    ['CONTACTS_UPSERT', 'contact'],
    ['contacts.set', 'contact'],
    ['presence.update', 'account'],
    ['chats.update', 'account'],
    ['groups.upsert', 'account'],
    ['group.update', 'account'],
    ['GROUPS_UPDATE', 'account'],
    ['group-participants.update', 'account'],
    ['labels.edit', 'account'],
    ['application.startup', 'account'],
    ['typebot.change-status', 'account'],
    ['call', 'call'],
  ])('%s is kept as %s, as an object and as a list', (name, type) => {
    const data = { remoteJid: '1555@s.whatsapp.net', pushName: 'Bo', token: 'S3CRET' };
    expect(only(name, data)).toMatchObject({ kind: 'account', type, facts: { pushName: 'Bo' } });
    const { events } = read({
      event: name,
      instance: 'shop',
      date_time: dateTime,
      data: [data, { ...data, pushName: 'Cy' }],
    });
    expect(new Set(events.map((event) => event.key)).size).toBe(2);
    expect(JSON.stringify(events)).not.toContain('S3CRET');
  });

  test('a call is one event for each of its states', () => {
    expect(only('call', { id: 'C1', status: 'offer', from: '1555@c.us' }).key).toBe('call:C1:offer');
  });

  test('the server’s own error keeps no key of the server', () => {
    const event = only('error', { message: 'Oops', nested: [{ apikey: 'S3CRET', why: 'x' }] }, { api_key: 'S3CRET' });
    expect(event).toMatchObject({ kind: 'account', type: 'error', facts: { message: 'Oops', nested: [{ why: 'x' }] } });
  });

  test('an event that we do not know is kept with its name', () => {
    expect(only('messages.dream', { a: 1 })).toMatchObject({
      kind: 'unsupported',
      type: 'messages.dream',
      path: '/data',
    });
  });

  test('does not change when the key in the body is masked before it is stored', () => {
    const body = (apikey: string) => read({ event: 'messages.dream', instance: 'shop', data: { a: 1 }, apikey });
    expect(body('S3CRET')).toEqual(body('******'));
  });
});

test('bodies may come as a list of envelopes', () => {
  const envelope = { event: 'messages.upsert', instance: 'shop', data: message };
  const { events, unreadable } = read([envelope, 'x', envelope]);
  expect(events.map(({ path }) => path)).toEqual(['/0/data', '/2/data']);
  expect(unreadable).toEqual([{ path: '/1', reason: 'expected an object' }]);
});

test('what is no JSON or no object is unreadable', () => {
  expect(read('{"event":')).toMatchObject({ events: [], unreadable: [{ path: '', reason: 'the body is not JSON' }] });
  expect(read('7')).toMatchObject({ events: [], unreadable: [{ path: '', reason: 'expected an object' }] });
});
