import type { InboundEvent } from '@switchyard/contract';
import { describe, expect, test } from 'vitest';
import { webjsChannel } from './index.ts';

function read(body: unknown) {
  const bytes = Buffer.from(JSON.stringify(body));
  return webjsChannel.normalise({ headers: {}, target: '/', body: bytes, receivedAt: '2026-01-01T00:00:00.000Z' });
}

function first(body: unknown): InboundEvent {
  const { events, unreadable } = read(body);
  expect(unreadable).toEqual([]);
  expect(events).toHaveLength(1);
  return events[0] as InboundEvent;
}

describe('raw Baileys objects', () => {
  const key = { remoteJid: '15550002222@s.whatsapp.net', fromMe: false, id: '3EB0AA' };
  const message = { key, message: { conversation: 'Hi' }, messageTimestamp: 1_750_000_000 };

  test('have their id as key, and the session before it where it is named', () => {
    expect(first(message)).toMatchObject({ kind: 'message', key: '3EB0AA', bindings: [], path: '' });
    expect(first({ ...message, session: 'shop' })).toMatchObject({ key: 'shop:3EB0AA', bindings: [{ value: 'shop' }] });
    expect(
      first({ event: 'messages.upsert', session: 'shop', data: { messages: [message], type: 'notify' } }),
    ).toMatchObject({
      key: 'shop:3EB0AA',
      path: '/data/messages/0',
    });
  });

  test('of an append are history', () => {
    expect(first({ messages: [message], type: 'append' })).toMatchObject({ isHistory: true });
  });

  test('are receipts, updates, reactions and deletions', () => {
    expect(first({ key, receipt: { receiptTimestamp: '1750000000' } })).toMatchObject({
      type: 'delivered',
      key: '3EB0AA:DELIVERY_ACK',
    });
    expect(first({ key, update: { status: 2 } })).toMatchObject({ type: 'sent', key: '3EB0AA:SERVER_ACK' });
    expect(first({ event: 'messages.update', session: 's', data: [{ key, update: { status: 4 } }] })).toMatchObject({
      type: 'read',
      key: 's:3EB0AA:READ',
      path: '/data/0',
    });
    const reaction = { key: { ...key, id: '3EB0RR' }, text: '👍', senderTimestampMs: 1_750_000_000_000 };
    expect(first({ key, reaction })).toMatchObject({
      type: 'reaction',
      key: '3EB0RR',
      occurredAt: '2025-06-15T15:06:40.000Z',
      content: { targetId: '3EB0AA', emoji: '👍' },
    });
    expect(first({ event: 'messages.delete', session: 's', data: { key } })).toMatchObject({
      type: 'delete',
      key: 's:3EB0AA:deleted',
    });
  });

  test('without content say so', () => {
    expect(first({ key, message: null, messageStubType: 2 })).toMatchObject({ content: { name: 'ciphertext' } });
    expect(first({ key })).toMatchObject({ content: { type: 'unsupported', name: 'empty' } });
  });

  test('are the connection and its QR code', () => {
    const closed = { connection: 'close', lastDisconnect: { error: { output: { statusCode: 401 } } } };
    expect(first(closed)).toMatchObject({
      type: 'connection',
      connection: 'disconnected',
      facts: { statusReason: 401, reconnects: false },
    });
    expect(first({ connection: 'open' })).toMatchObject({ connection: 'connected' });
    expect(first({ qr: '2@x' })).toMatchObject({ type: 'qr', qr: { code: '2@x' } });
  });

  test('that are bad harm no neighbour', () => {
    const { events, unreadable } = read({ messages: [message, { key: {} }, 7, message] });
    expect(events).toHaveLength(2);
    expect(unreadable.map(({ path }) => path)).toEqual(['/messages/1', '/messages/2']);
  });
});
