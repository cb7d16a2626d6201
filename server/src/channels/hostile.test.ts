/** Whatever comes: nothing throws, nothing is lost in silence, and every event says where it stands. */
import type { InboundEvent } from '@switchyard/contract';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Channel, NormaliseInput, RawRequest, VerifySecrets } from './channel.ts';
import { evolutionChannel, twilioChannel, webjsChannel } from './index.ts';

const channels = [twilioChannel, evolutionChannel, webjsChannel];
const seed = { seed: 20_260_101 };
const secrets: VerifySecrets = {
  signing: ['a-held-secret'],
  challenge: [],
  publicUrl: 'https://hooks.example.com',
  hasRouteToken: false,
  requiresSecret: false,
};

const texts = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.constantFrom('', '__proto__', 'constructor', '\uD800', '\0', '@', 'x@lid'),
);
const events = fc.constantFrom(
  'messages.upsert',
  'messages.update',
  'messages.delete',
  'messages.edited',
  'messages.set',
  'send.message',
  'connection.update',
  'qrcode.updated',
  'contacts.update',
  'call',
  'error',
  'message',
  'message.ack',
  'message.reaction',
  'message.edited',
  'message.revoked',
  'session.status',
  'session.qr',
);
const names = fc.constantFrom(
  ...[
    'key id keyId remoteJid fromMe participant message conversation imageMessage update protocolMessage',
    'editedMessage ephemeralMessage reactionMessage contextInfo status receipt messages messageTimestamp',
    'low payload data type body media location vCards ack reaction messageId from chatId before after',
    'instance session contactMessage vcard interactiveResponseMessage nativeFlowResponseMessage paramsJson',
    'apikey event toString',
  ].flatMap((line) => line.split(' ')),
);

/** JSON that looks like what providers send, with anything anywhere. */
const { tree } = fc.letrec((tie) => ({
  tree: fc.oneof(
    { depthSize: 'medium' },
    texts,
    events,
    fc.constantFrom('15550002222@s.whatsapp.net', '1@g.us', 'true_1@c.us_A', '{"id":1}', 'READ', 'BEGIN:VCARD\nTEL:1'),
    fc.double({ noNaN: true, noDefaultInfinity: true }),
    fc.boolean(),
    fc.constant(null),
    fc.array(tie('tree'), { maxLength: 3 }),
    fc.dictionary(fc.oneof({ weight: 9, arbitrary: names }, texts), tie('tree'), { maxKeys: 6 }),
  ),
}));
const envelopes = fc.record(
  { event: events, instance: texts, session: texts, date_time: texts, data: tree, payload: tree, apikey: texts },
  { requiredKeys: ['event'] },
);
const bodies = fc.oneof(
  fc.uint8Array({ maxLength: 300 }),
  fc.oneof(envelopes, tree).map((value) => new Uint8Array(Buffer.from(JSON.stringify(value)))),
  fc
    .dictionary(fc.oneof(texts, fc.constantFrom('MessageSid', 'From', 'Body', 'MessageStatus', 'MediaUrl0')), texts)
    .map((fields) => new Uint8Array(Buffer.from(new URLSearchParams(fields as Record<string, string>).toString()))),
);

function inputOf(body: Uint8Array, target = '/hook'): NormaliseInput {
  return { headers: {}, target, body, receivedAt: '2026-01-01T00:00:00.000Z' };
}

describe.each(channels.map((channel) => [channel.provider, channel] as const))('%s', (_name, channel: Channel) => {
  test('reads any bytes without throwing, the same way twice, and accounts for all of them', () => {
    fc.assert(
      fc.property(bodies, fc.string(), (body, target) => {
        const first = channel.normalise(inputOf(body, `/${target}`));
        expect(channel.normalise(inputOf(body, `/${target}`))).toEqual(first);
        for (const event of first.events) checkEvent(event);
        for (const part of first.unreadable) expect(part.reason).not.toBe('the reader failed on this part');
      }),
      { ...seed, numRuns: 1_500 },
    );
  });

  test('keeps every text fit for a database', () => {
    fc.assert(
      fc.property(bodies, (body) => {
        const text = JSON.stringify(channel.normalise(inputOf(body)));
        expect(text).not.toContain('\\u0000');
        expect(text).not.toMatch(/\\ud[89a-f]/i);
      }),
      { ...seed, numRuns: 500 },
    );
  });

  test('verifies any request without throwing, and lets none in by chance', () => {
    const headerNames = fc.constantFrom(
      'x-twilio-signature',
      'apikey',
      'authorization',
      'x-webhook-hmac',
      'x-webhook-nonce',
      'content-type',
      'x-webhook-timestamp',
      'x-webhook-hmac-algorithm',
    );
    const requests = fc.record({
      method: fc.constantFrom('GET', 'POST', ''),
      target: fc.string(),
      headers: fc.dictionary(headerNames, texts),
      body: bodies,
    });
    fc.assert(
      fc.property(requests, (request) => {
        expect(channel.verify(request as RawRequest, secrets, 0).kind).toBe('refused');
        channel.findSecrets?.(request.body);
      }),
      { ...seed, numRuns: 1_000 },
    );
  });

  test('survives nesting, length and numbers beyond all measure', () => {
    const deep = `{"event":"messages.upsert","data":${'['.repeat(100_000)}${']'.repeat(100_000)}}`;
    const nested = `{"event":"messages.upsert","data":{"key":{"id":"A","remoteJid":"1@lid"},"message":${'{"ephemeralMessage":{"message":'.repeat(50)}null${'}}'.repeat(50)}}}`;
    const wide = JSON.stringify({ event: 'messages.update', data: Array.from({ length: 50_000 }, () => 0) });
    const huge = '{"event":"message.ack","payload":{"id":"A","ack":1e400,"timestamp":1e300}}';
    for (const body of [deep, nested, wide, huge, '['.repeat(200_000), `"${'a'.repeat(1_000_000)}`]) {
      const { events: read, unreadable } = channel.normalise(inputOf(Buffer.from(body)));
      expect(read.length + unreadable.length).toBeGreaterThan(0);
      channel.findSecrets?.(Buffer.from(body));
    }
  });
});

test('Evolution: half a million parts are one that cannot be read', () => {
  const many = Array.from({ length: 300_000 }, () => 0);
  for (const body of [
    many,
    { event: 'messages.update', data: many },
    { event: 'messages.set', data: { messages: many } },
  ]) {
    const { events: read, unreadable } = evolutionChannel.normalise(inputOf(Buffer.from(JSON.stringify(body))));
    expect([read, unreadable]).toMatchObject([[], [{ path: '' }]]);
  }
});

function checkEvent(event: InboundEvent): void {
  expect(event.key).not.toBe('');
  expect(event.path === '' || event.path.startsWith('/')).toBe(true);
  if (event.occurredAt !== null) expect(new Date(event.occurredAt).toISOString()).toBe(event.occurredAt);
  if (event.kind === 'message') expect(event.type === 'echo').toBe(event.direction === 'out');
}
