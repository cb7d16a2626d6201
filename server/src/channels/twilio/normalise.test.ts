import type { InboundEvent } from '@switchyard/contract';
import { describe, expect, test } from 'vitest';
import { twilioChannel } from './index.ts';

const base = {
  MessageSid: 'SMaaaa1111',
  SmsMessageSid: 'SMaaaa1111',
  AccountSid: 'ACbbbb2222',
  From: 'whatsapp:+15550002222',
  To: 'whatsapp:+15550001111',
  WaId: '15550002222',
  ProfileName: 'Ada',
  NumMedia: '0',
  SmsStatus: 'received',
  ApiVersion: '2010-04-01',
};

function read(fields: Record<string, string>, target = '/hook') {
  const body = Buffer.from(new URLSearchParams(fields).toString());
  return twilioChannel.normalise({ headers: {}, target, body, receivedAt: '2026-01-01T00:00:00.000Z' });
}

function only(fields: Record<string, string>, target?: string): InboundEvent {
  const { events, unreadable } = read(fields, target);
  expect(unreadable).toEqual([]);
  expect(events).toHaveLength(1);
  return events[0] as InboundEvent;
}

describe('a message', () => {
  test('of text has its sid as key, our number and account as bindings, and no time', () => {
    expect(only({ ...base, Body: 'Hello' })).toEqual({
      kind: 'message',
      type: 'text',
      key: 'SMaaaa1111',
      providerMessageId: 'SMaaaa1111',
      direction: 'in',
      occurredAt: null,
      bindings: [
        { kind: 'twilio_account', value: 'ACbbbb2222' },
        { kind: 'twilio_address', value: 'whatsapp:+15550001111' },
      ],
      path: '',
      customer: [
        { kind: 'phone', value: '+15550002222' },
        { kind: 'wa_id', value: '15550002222' },
      ],
      profileName: 'Ada',
      content: { type: 'text', text: 'Hello' },
    });
  });

  test.each([
    ['image/jpeg', 'image'],
    ['image/webp', 'sticker'],
    ['video/mp4', 'video'],
    ['audio/ogg', 'audio'],
    ['application/pdf', 'document'],
    ['text/vcard', 'document'],
  ])('with a file of %s is of type %s', (mimeType, type) => {
    const url = 'https://api.twilio.com/2010-04-01/Accounts/AC1/Messages/MM1/Media/MEcccc3333';
    const fields = { ...base, NumMedia: '1', MediaUrl0: url, MediaContentType0: mimeType, Body: 'Look' };
    expect(only(fields)).toMatchObject({
      type,
      content: { type, caption: 'Look', media: { id: 'MEcccc3333', url, mimeType } },
    });
  });

  test('with several files names all of them, typed or not', () => {
    const fields = {
      ...base,
      NumMedia: '2',
      MediaUrl0: 'https://m/0',
      MediaUrl1: 'https://m/1',
      MediaContentType1: 'image/png',
    };
    expect(only(fields)).toMatchObject({
      type: 'document',
      content: {
        media: { url: 'https://m/0' },
        more: [{ url: 'https://m/0' }, { url: 'https://m/1', mimeType: 'image/png' }],
      },
    });
  });

  test('says its kind itself where Twilio sends MessageType', () => {
    const fields = { ...base, NumMedia: '1', MediaUrl0: 'https://m/0', MessageType: 'sticker' };
    expect(only(fields)).toMatchObject({ type: 'sticker' });
  });

  test('of a place', () => {
    const fields = { ...base, Body: '', Latitude: '52.1', Longitude: '-4.25', Label: 'Office', Address: 'Main St 1' };
    expect(only(fields)).toMatchObject({
      content: { type: 'location', latitude: 52.1, longitude: -4.25, name: 'Office', address: 'Main St 1' },
    });
    expect(only({ ...fields, Latitude: '91', Body: 'here' })).toMatchObject({ type: 'text' });
  });

  test('of a tapped button and of a list row', () => {
    const button = {
      ...base,
      Body: 'Yes',
      ButtonText: 'Yes',
      ButtonPayload: 'confirm',
      OriginalRepliedMessageSid: 'SM0',
    };
    expect(only(button)).toMatchObject({
      type: 'button_reply',
      replyTo: 'SM0',
      content: { type: 'button_reply', id: 'confirm', title: 'Yes' },
    });
    const row = { ...base, Body: 'Red', ListId: 'r1', ListTitle: 'Red', ListDescription: 'like a rose' };
    expect(only(row)).toMatchObject({
      content: { type: 'list_reply', id: 'r1', title: 'Red', description: 'like a rose' },
    });
  });

  test('of a form keeps its answer', () => {
    const fields = { ...base, Body: 'Sent', InteractiveData: '{"a":1}' };
    expect(only(fields)).toMatchObject({ content: { type: 'flow_reply', answer: '{"a":1}', text: 'Sent' } });
  });

  test('from an advertisement, forwarded', () => {
    const fields = {
      ...base,
      Body: 'Hi',
      Forwarded: 'true',
      ReferralSourceType: 'ad',
      ReferralSourceId: '7',
      ReferralSourceUrl: 'https://fb.me/x',
      ReferralHeadline: 'Sale',
      ReferralBody: 'All off',
      ReferralCtwaClid: 'clid',
    };
    expect(only(fields)).toMatchObject({
      isForwarded: true,
      referral: {
        sourceType: 'ad',
        sourceId: '7',
        sourceUrl: 'https://fb.me/x',
        headline: 'Sale',
        body: 'All off',
        clickId: 'clid',
      },
    });
    expect(only({ ...base, Body: 'Hi', ReferralNumMedia: '0', Forwarded: 'false' })).not.toHaveProperty('referral');
  });

  test('of somebody who hides the phone has a business-scoped id', () => {
    const { WaId: _none, ...hidden } = base;
    expect(only({ ...hidden, From: 'whatsapp:US.13491208655302741918', Body: 'Hi' })).toMatchObject({
      customer: [{ kind: 'bsuid', value: 'US.13491208655302741918' }],
    });
    expect(only({ ...base, ExternalUserId: 'whatsapp:US.1234', Body: 'Hi' })).toMatchObject({
      customer: [{ kind: 'phone' }, { kind: 'wa_id' }, { kind: 'bsuid', value: 'US.1234' }],
    });
  });

  test('by SMS has a phone and our bare number', () => {
    const { WaId: _none, ...sms } = base;
    expect(only({ ...sms, From: '+15550002222', To: '+15550001111', Body: 'Hi' })).toMatchObject({
      customer: [{ kind: 'phone', value: '+15550002222' }],
      bindings: [{ kind: 'twilio_account' }, { kind: 'twilio_address', value: '+15550001111' }],
    });
  });

  test('of nothing is kept as unsupported content', () => {
    expect(only({ ...base, Body: '', MessageType: 'order' })).toMatchObject({
      type: 'unsupported',
      content: { type: 'unsupported', name: 'order' },
    });
  });

  test('keeps its author when the plus came unescaped', () => {
    const body = Buffer.from('MessageSid=SM1&From=whatsapp:+15550002222&To=whatsapp:+1&Body=a%00b');
    const { events } = twilioChannel.normalise({ headers: {}, target: '/', body, receivedAt: '' });
    expect(events[0]).toMatchObject({
      customer: [{ kind: 'phone', value: '+15550002222' }, { kind: 'wa_id' }],
      content: { text: 'a\uFFFDb' },
    });
  });

  test('comes in the URL by GET, and as JSON', () => {
    const query = new URLSearchParams({ ...base, Body: 'Hi' }).toString();
    const input = { headers: {}, receivedAt: '' };
    const byGet = twilioChannel.normalise({ ...input, target: `/hook?${query}`, body: new Uint8Array() });
    const json = Buffer.from(` ${JSON.stringify({ ...base, Body: 'Hi', extra: { deep: 1 } })}`);
    const byJson = twilioChannel.normalise({ ...input, target: '/hook', body: json });
    expect(byGet.events[0]).toMatchObject({ key: 'SMaaaa1111', content: { text: 'Hi' } });
    expect(byJson).toEqual(byGet);
  });
});

describe('a status', () => {
  const status = {
    MessageSid: 'SMdddd4444',
    SmsSid: 'SMdddd4444',
    AccountSid: 'ACbbbb2222',
    From: 'whatsapp:+15550001111',
    To: 'whatsapp:+15550002222',
    MessageStatus: 'delivered',
    SmsStatus: 'delivered',
  };

  test.each([
    ['accepted', 'accepted'],
    ['scheduled', 'accepted'],
    ['queued', 'accepted'],
    ['sending', 'accepted'],
    ['sent', 'sent'],
    ['delivered', 'delivered'],
    ['read', 'read'],
    ['undelivered', 'failed'],
    ['failed', 'failed'],
    ['canceled', 'failed'],
    ['tomorrow', 'unknown'],
  ])('%s is %s', (name, type) => {
    const event = only({ ...status, MessageStatus: name, SmsStatus: name });
    expect(event).toMatchObject({ kind: 'status', type, key: `SMdddd4444:${name}`, providerMessageId: 'SMdddd4444' });
  });

  test('carries our attempt back and is bound to our number as sender', () => {
    expect(only(status, '/webhooks/twilio/whatsapp/t?attempt=att_1&x=2')).toMatchObject({
      attemptId: 'att_1',
      occurredAt: null,
      customer: [{ kind: 'phone', value: '+15550002222' }, { kind: 'wa_id' }],
      bindings: [{ kind: 'twilio_account' }, { kind: 'twilio_address', value: 'whatsapp:+15550001111' }],
      errors: [],
    });
  });

  test('that failed names its error in key and words, known or not', () => {
    const failed = { ...status, MessageStatus: 'failed', ErrorCode: '63016', ErrorMessage: 'Outside' };
    expect(only(failed)).toMatchObject({
      key: 'SMdddd4444:failed:63016',
      errors: [{ code: '63016', title: 'outside the 24-hour window: only a template may be sent', detail: 'Outside' }],
    });
    expect(only({ ...failed, ErrorCode: '99999' })).toMatchObject({
      errors: [{ code: '99999', title: 'Twilio error 99999' }],
    });
  });

  test('of a few fields is enough', () => {
    expect(only({ MessageSid: 'SM1', MessageStatus: 'read' })).toMatchObject({
      type: 'read',
      bindings: [],
      customer: [],
    });
    expect(only({ SmsSid: 'SM1', SmsStatus: 'sent', To: '+15550002222' })).toMatchObject({
      type: 'sent',
      key: 'SM1:sent',
    });
  });
});

describe('anything else', () => {
  test('is kept as unsupported, each request under a key of its own', () => {
    const call = only({ CallSid: 'CA1', AccountSid: 'ACbbbb2222', To: '+1', From: '+2' });
    expect(call).toMatchObject({
      kind: 'unsupported',
      type: 'call',
      reason: 'no MessageSid',
      bindings: [{ kind: 'twilio_account', value: 'ACbbbb2222' }],
    });
    expect(only({ CallSid: 'CA2' }).key).not.toBe(call.key);
    expect(only({ MessageSid: 'SM1' })).toMatchObject({ kind: 'unsupported' });
  });

  test('of the wrong shape is unreadable', () => {
    const input = { headers: {}, target: '/', receivedAt: '' };
    const read = (text: string) => twilioChannel.normalise({ ...input, body: Buffer.from(text) });
    expect(read('[{"type":"com.twilio.messaging.message.sent"}]')).toMatchObject({
      events: [],
      unreadable: [{ path: '' }],
    });
    expect(read('{"a":')).toMatchObject({ events: [], unreadable: [{ reason: 'the body is not JSON' }] });
    expect(read('a=1&'.repeat(2_000))).toMatchObject({ events: [], unreadable: [{ path: '' }] });
  });
});
