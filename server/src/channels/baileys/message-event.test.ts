import type { MessageEvent } from '@switchyard/contract';
import { describe, expect, test } from 'vitest';
import type { JsonObject, JsonValue } from '../reading/index.ts';
import { Unreadable } from '../reading/index.ts';
import { keyParts, messageEventOf, type Origin, receiptEventOf, updateEventOf } from './index.ts';

const origin: Origin = {
  path: '/data',
  bindings: [{ kind: 'instance', value: 'shop' }],
  keyOf: (key) => keyParts(key).join(':'),
  receiptKeyOf: (id, name) => `${id}:${name}`,
};
const key = { remoteJid: '15550002222@s.whatsapp.net', fromMe: false, id: '3EB0AA' };

function read(message: JsonValue, around: JsonObject = {}): MessageEvent {
  const event = messageEventOf({ key, pushName: 'Ada', messageTimestamp: 1_750_000_000, message, ...around }, origin);
  expect(event.kind).toBe('message');
  return event as MessageEvent;
}

const contentOf = (message: JsonValue, around?: JsonObject) => read(message, around).content;

test('a text is all there', () => {
  expect(read({ conversation: 'Hi' })).toEqual({
    kind: 'message',
    type: 'text',
    key: '15550002222@s.whatsapp.net:false:3EB0AA',
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

describe('content', () => {
  const media = {
    mimetype: 'x/y',
    fileSha256: 'c2hh',
    fileLength: { low: 5, high: 1, unsigned: true },
    mediaKey: 'a2V5',
  };
  const readMedia = { id: '3EB0AA', mimeType: 'x/y', sha256: 'c2hh', sizeBytes: 4_294_967_301 };
  const encrypted = { ...media, url: 'https://mmg.whatsapp.net/v/t62/1.enc?x' };

  test.each([
    ['imageMessage', 'image'],
    ['videoMessage', 'video'],
    ['ptvMessage', 'video'],
    ['audioMessage', 'audio'],
    ['documentMessage', 'document'],
    ['stickerMessage', 'sticker'],
  ])('%s is a file whose encrypted URL is kept from whoever would fetch it', (name, type) => {
    expect(contentOf({ [name]: { ...encrypted, caption: 'Look' } })).toEqual({
      type,
      media: readMedia,
      caption: 'Look',
    });
  });

  test('takes the readable copy that the server adds', () => {
    const message = { audioMessage: { ...encrypted, ptt: true }, base64: 'AAAA', mediaUrl: 'https://s3/1' };
    expect(contentOf(message)).toMatchObject({ isVoice: true, media: { base64: 'AAAA', url: 'https://s3/1' } });
    expect(contentOf({ imageMessage: { url: 'https://open/1.png' } })).toMatchObject({
      media: { url: 'https://open/1.png' },
    });
  });

  test('reads bytes in each of their shapes', () => {
    const shaOf = (fileSha256: JsonValue) => contentOf({ imageMessage: { fileSha256 } });
    expect(shaOf({ '0': 1, '1': 255 })).toMatchObject({ media: { sha256: 'Af8=' } });
    expect(shaOf({ type: 'Buffer', data: [1, 255] })).toMatchObject({ media: { sha256: 'Af8=' } });
    expect(shaOf([1, 256])).not.toHaveProperty('media.sha256');
  });

  test('stands inside wrappers', () => {
    const text = { conversation: 'Hi' };
    for (const name of ['ephemeralMessage', 'viewOnceMessage', 'viewOnceMessageV2', 'viewOnceMessageV2Extension']) {
      expect(contentOf({ [name]: { message: text } })).toEqual({ type: 'text', text: 'Hi' });
    }
    const captioned = {
      documentWithCaptionMessage: { message: { documentMessage: { fileName: 'a.pdf', caption: 'A' } } },
    };
    expect(contentOf(captioned)).toMatchObject({ type: 'document', caption: 'A', media: { fileName: 'a.pdf' } });
    expect(contentOf({ ephemeralMessage: { message: { viewOnceMessage: { message: text } } } })).toMatchObject({
      text: 'Hi',
    });
  });

  test('is never the dressing that comes first', () => {
    const message = { senderKeyDistributionMessage: {}, messageContextInfo: {}, base64: 'AA', conversation: 'Hi' };
    expect(contentOf(message)).toEqual({ type: 'text', text: 'Hi' });
  });

  test('believes the named type where such a member is there, and only there', () => {
    const message = { conversation: 'Hi', reactionMessage: { key: { id: 'T' }, text: '👍' } };
    expect(contentOf(message, { messageType: 'reactionMessage' })).toMatchObject({ type: 'reaction' });
    expect(contentOf({ conversation: 'Hi' }, { messageType: 'extendedTextMessage' })).toMatchObject({ type: 'text' });
    expect(contentOf({ base64: 'AA', conversation: 'Hi' }, { messageType: 'base64' })).toMatchObject({ type: 'text' });
  });

  const cases: [JsonObject, object][] = [
    [{ extendedTextMessage: { text: 'Long' } }, { type: 'text', text: 'Long' }],
    [
      { locationMessage: { degreesLatitude: 1.5, degreesLongitude: -2, name: 'Shop', address: 'Main St' } },
      { type: 'location', latitude: 1.5, longitude: -2, name: 'Shop', address: 'Main St' },
    ],
    [
      { liveLocationMessage: { degreesLatitude: 1, degreesLongitude: 2, caption: 'Here' } },
      { type: 'location', latitude: 1, longitude: 2, name: 'Here' },
    ],
    [
      { reactionMessage: { key: { id: '3EB0TARGET' }, text: '👍' } },
      { type: 'reaction', targetId: '3EB0TARGET', emoji: '👍' },
    ],
    [
      { reactionMessage: { key: { id: '3EB0TARGET' }, text: '' } },
      { type: 'reaction', targetId: '3EB0TARGET', emoji: null },
    ],
    [
      { buttonsResponseMessage: { selectedButtonId: 'y', selectedDisplayText: 'Yes' } },
      { type: 'button_reply', id: 'y', title: 'Yes' },
    ],
    [
      { templateButtonReplyMessage: { selectedId: 'y', selectedDisplayText: 'Yes' } },
      { type: 'button_reply', id: 'y', title: 'Yes' },
    ],
    [
      { listResponseMessage: { title: 'Red', description: 'rose', singleSelectReply: { selectedRowId: 'r1' } } },
      { type: 'list_reply', id: 'r1', title: 'Red', description: 'rose' },
    ],
    [
      {
        interactiveResponseMessage: {
          body: { text: 'Yes' },
          nativeFlowResponseMessage: { name: 'quick_reply', paramsJson: '{"id":"y"}' },
        },
      },
      { type: 'button_reply', id: 'y', title: 'Yes' },
    ],
    [
      {
        interactiveResponseMessage: { nativeFlowResponseMessage: { name: 'single_select', paramsJson: '{"id":"r1"}' } },
      },
      { type: 'list_reply', id: 'r1', title: 'r1' },
    ],
    [
      { interactiveResponseMessage: { nativeFlowResponseMessage: { name: 'booking', paramsJson: '{"day":3}' } } },
      { type: 'flow_reply', name: 'booking', answer: '{"day":3}' },
    ],
    [
      { pollCreationMessageV3: { name: 'When?', options: [{ optionName: 'Mon' }, { optionName: 'Tue' }] } },
      { type: 'poll', title: 'When?', options: ['Mon', 'Tue'] },
    ],
    [{ orderMessage: { message: 'Please', itemCount: 2 } }, { type: 'order', text: 'Please', items: [] }],
    [
      { productMessage: { product: { title: 'Mug', description: 'Blue' } } },
      { type: 'share', media: { id: '3EB0AA' }, title: 'Mug', text: 'Blue' },
    ],
    [{ protocolMessage: { type: 'REVOKE', key: { id: '3EB0TARGET' } } }, { type: 'delete', targetId: '3EB0TARGET' }],
    [{ protocolMessage: { key: { id: '3EB0TARGET' } } }, { type: 'delete', targetId: '3EB0TARGET' }],
    [
      { protocolMessage: { type: 14, key: { id: '3EB0TARGET' }, editedMessage: { conversation: 'New' } } },
      { type: 'edit', targetId: '3EB0TARGET', content: { type: 'text', text: 'New' } },
    ],
    [
      {
        editedMessage: {
          message: {
            protocolMessage: {
              type: 'MESSAGE_EDIT',
              key: { id: '3EB0TARGET' },
              editedMessage: { imageMessage: { caption: 'New' } },
            },
          },
        },
      },
      { type: 'edit', targetId: '3EB0TARGET', content: { type: 'image', media: { id: '3EB0TARGET' }, caption: 'New' } },
    ],
    [
      { editedMessage: { message: { conversation: 'New' } } },
      { type: 'edit', targetId: '3EB0AA', content: { type: 'text', text: 'New' } },
    ],
    [{ protocolMessage: { type: 3 } }, { type: 'system', name: 'protocol 3' }],
    [{ buttonsMessage: { contentText: 'Sure?' } }, { type: 'text', text: 'Sure?' }],
    [{ listMessage: { title: 'T', description: 'Choose' } }, { type: 'text', text: 'T\nChoose' }],
    [{ listMessage: { title: 'Choose', description: 'Choose' } }, { type: 'text', text: 'Choose' }],
    [{ listMessage: { title: '', description: 'Choose' } }, { type: 'text', text: 'Choose' }],
    [{ albumMessage: {} }, { type: 'system', name: 'album' }],
    [{ groupInviteMessage: { caption: 'Join' } }, { type: 'unsupported', name: 'groupInviteMessage', text: 'Join' }],
    [{ pollUpdateMessage: {} }, { type: 'unsupported', name: 'pollUpdateMessage' }],
    [{ toString: {} }, { type: 'unsupported', name: 'toString' }],
    [{ reactionMessage: { text: '👍' } }, { type: 'unsupported', name: 'reactionMessage', text: '👍' }],
    [{ locationMessage: { name: 'x' } }, { type: 'unsupported', name: 'locationMessage' }],
    [{}, { type: 'unsupported', name: 'empty' }],
  ];
  test.each(cases)('%j', (message, content) => {
    expect(contentOf(message)).toEqual(content);
    expect(read(message).type).toBe('type' in content ? content.type : '');
  });

  test('of contacts comes out of their vCards', () => {
    const vcard = [
      'BEGIN:VCARD',
      'FN:Bo Li',
      'ORG:Tea\\, Inc.;',
      'item1.TEL;type=CELL;waid=15550003333:+1 555 000',
      ' 3333',
      'TEL:+1 555 4',
      'EMAIL;type=INTERNET:bo@example.com',
      'END:VCARD',
    ].join('\r\n');
    const card = {
      name: 'Bo Li',
      phones: ['+15550003333', '+1 555 4'],
      emails: ['bo@example.com'],
      organisation: 'Tea, Inc.',
    };
    expect(contentOf({ contactMessage: { vcard } })).toEqual({ type: 'contacts', contacts: [{ ...card, vcard }] });
    expect(contentOf({ contactsArrayMessage: { contacts: [{ displayName: 'Bo', vcard }, {}] } })).toMatchObject({
      contacts: [{ name: 'Bo' }, { name: '', phones: [] }],
    });
  });

  test('that is missing is said to be: not decrypted, a notice, or nothing', () => {
    expect(contentOf(null, { messageStubType: 2 })).toEqual({ type: 'unsupported', name: 'ciphertext' });
    expect(contentOf(null, { messageStubType: 'GROUP_CHANGE_SUBJECT' })).toEqual({
      type: 'system',
      name: 'stub GROUP_CHANGE_SUBJECT',
    });
    expect(contentOf(null)).toEqual({ type: 'unsupported', name: 'empty' });
  });
});

describe('around the content', () => {
  test('a reply, a forward and an advertisement are read inside the content or beside it', () => {
    const contextInfo = {
      stanzaId: '3EB0OLD',
      isForwarded: true,
      externalAdReply: { sourceType: 'ad', sourceId: '7', title: 'Sale', ctwaClid: 'clid' },
    };
    const facts = {
      replyTo: '3EB0OLD',
      isForwarded: true,
      referral: { sourceType: 'ad', sourceId: '7', headline: 'Sale', clickId: 'clid' },
    };
    expect(read({ extendedTextMessage: { text: 'Hi', contextInfo } })).toMatchObject(facts);
    expect(read({ conversation: 'Hi' }, { contextInfo })).toMatchObject(facts);
    const preview = { externalAdReply: { title: 'A page', sourceUrl: 'https://example.com' } };
    expect(read({ extendedTextMessage: { text: 'Hi', contextInfo: preview } })).not.toHaveProperty('referral');
  });

  test('an own message is an echo to the chat, without our name', () => {
    const event = read(
      { conversation: 'Hi' },
      { key: { ...key, fromMe: true, senderPn: '15550001111@s.whatsapp.net' } },
    );
    expect(event).toMatchObject({ type: 'echo', direction: 'out', content: { type: 'text' } });
    expect(event.customer).toEqual([
      { kind: 'phone', value: '+15550002222' },
      { kind: 'wa_id', value: '15550002222' },
    ]);
    expect(event).not.toHaveProperty('profileName');
  });

  test.each([
    ['remoteJidAlt', { remoteJid: '762@lid', remoteJidAlt: '15550002222@s.whatsapp.net' }],
    ['senderPn', { remoteJid: '762@lid', senderPn: '15550002222@s.whatsapp.net' }],
    ['senderLid', { remoteJid: '15550002222@s.whatsapp.net', senderLid: '762@lid' }],
  ])('phone and LID are both kept (%s)', (_name, names) => {
    expect(read({ conversation: 'Hi' }, { key: { ...names, fromMe: false, id: 'A', participant: '' } })).toMatchObject({
      key: `${names.remoteJid}:false:A`,
      customer: [
        { kind: 'phone', value: '+15550002222' },
        { kind: 'wa_id', value: '15550002222' },
        { kind: 'lid', value: '762@lid' },
      ],
    });
  });

  test('in a group the author is the customer, and part of the key', () => {
    const group = {
      remoteJid: '120363@g.us',
      fromMe: false,
      id: 'A',
      participant: '762:4@lid',
      participantAlt: '1555@c.us',
    };
    expect(read({ conversation: 'Hi' }, { key: group })).toMatchObject({
      key: '120363@g.us:false:A:762:4@lid',
      groupId: '120363@g.us',
      customer: [{ kind: 'phone', value: '+1555' }, { kind: 'wa_id' }, { kind: 'lid', value: '762@lid' }],
    });
    expect(read({ conversation: 'Hi' }, { key: { ...group, fromMe: true } })).toMatchObject({
      type: 'echo',
      customer: [],
    });
  });

  test.each([
    ['status@broadcast', 'status'],
    ['120363@newsletter', 'newsletter'],
    ['99@broadcast', 'broadcast'],
    ['99@bot', 'unknown'],
  ])('what is said in %s is nobody’s turn', (remoteJid, type) => {
    const event = messageEventOf({ key: { ...key, remoteJid }, message: { conversation: 'Hi' } }, origin);
    expect(event).toMatchObject({ kind: 'unsupported', type, key: `${remoteJid}:false:3EB0AA` });
  });

  test.each([[1_750_000_000], ['1750000000'], [{ low: 1_750_000_000, high: 0, unsigned: true }], [1_750_000_000_000]])(
    'the time is read from %j',
    (messageTimestamp) => {
      expect(read({ conversation: 'Hi' }, { messageTimestamp }).occurredAt).toBe('2025-06-15T15:06:40.000Z');
    },
  );

  test('a time that is none is null', () => {
    expect(read({ conversation: 'Hi' }, { messageTimestamp: 'soon' }).occurredAt).toBeNull();
  });

  test('a key without id or chat is unreadable', () => {
    expect(() => messageEventOf({ key: { remoteJid: '1@c.us' }, message: {} }, origin)).toThrow(Unreadable);
    expect(() => messageEventOf({ key: { id: 'A' }, message: {} }, origin)).toThrow(Unreadable);
    expect(() => messageEventOf({}, origin)).toThrow(Unreadable);
  });
});

describe('updates and receipts', () => {
  test.each([
    [0, 'failed', 'ERROR'],
    [1, 'accepted', 'PENDING'],
    [2, 'sent', 'SERVER_ACK'],
    [3, 'delivered', 'DELIVERY_ACK'],
    [4, 'read', 'READ'],
    [5, 'played', 'PLAYED'],
    ['4', 'read', 'READ'],
    ['delivery_ack', 'delivered', 'DELIVERY_ACK'],
    ['DELETED', 'deleted', 'DELETED'],
    [17, 'unknown', '17'],
    ['constructor', 'unknown', 'CONSTRUCTOR'],
  ])('status %s is %s', (status, type, name) => {
    expect(updateEventOf({ key, update: { status } }, origin)).toMatchObject({
      kind: 'status',
      type,
      key: `3EB0AA:${name}`,
      providerMessageId: '3EB0AA',
      customer: [{ kind: 'phone' }, { kind: 'wa_id' }],
    });
  });

  test('an update may be an edit, a deletion, or neither', () => {
    const edit = updateEventOf(
      { key, update: { message: { editedMessage: { message: { conversation: 'New' } } } } },
      origin,
    );
    expect(edit).toMatchObject({ type: 'edit', content: { targetId: '3EB0AA', content: { text: 'New' } } });
    expect(edit.key).toMatch(/^15550002222@s\.whatsapp\.net:false:3EB0AA:edited:[0-9a-f]{16}$/);
    expect(updateEventOf({ key, update: { messageStubType: 1 } }, origin)).toMatchObject({
      type: 'delete',
      key: '15550002222@s.whatsapp.net:false:3EB0AA:deleted',
    });
    expect(updateEventOf({ key, update: { starred: true } }, origin)).toMatchObject({ kind: 'unsupported' });
    expect(() => updateEventOf({ update: { status: 2 } }, origin)).toThrow(Unreadable);
  });

  test('a receipt is the furthest of its times, one for each reader in a group', () => {
    const receipt = { receiptTimestamp: 1_750_000_000, readTimestamp: '1750000001' };
    expect(receiptEventOf({ key, receipt }, origin)).toMatchObject({
      type: 'read',
      key: '3EB0AA:READ',
      occurredAt: '2025-06-15T15:06:41.000Z',
    });
    const inGroup = { ...receipt, userJid: '1555@s.whatsapp.net', readTimestamp: 0 };
    expect(receiptEventOf({ key, receipt: inGroup }, origin)).toMatchObject({
      type: 'delivered',
      key: '3EB0AA:DELIVERY_ACK:1555@s.whatsapp.net',
      customer: [{ kind: 'phone', value: '+1555' }, { kind: 'wa_id' }],
    });
    expect(() => receiptEventOf({ key, receipt: {} }, origin)).toThrow(Unreadable);
  });
});
