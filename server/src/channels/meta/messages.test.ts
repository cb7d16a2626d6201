import { describe, expect, test } from 'vitest';
import { contact, message, messageDelivery, normalise, only, phoneNumberId, valueDelivery } from './sample.ts';

const file = { id: '77', mime_type: 'image/jpeg', sha256: 'c2hh', url: 'https://files.example/77' };
const media = { id: '77', mimeType: 'image/jpeg', sha256: 'c2hh', url: 'https://files.example/77' };

test('a message has its key, time, account, people and place', () => {
  expect(only(messageDelivery({ type: 'text', text: { body: 'Hello' } }))).toEqual({
    kind: 'message',
    type: 'text',
    key: 'wamid.M1',
    occurredAt: '2025-06-15T15:06:40.000Z',
    bindings: [{ kind: 'phone_number_id', value: phoneNumberId }],
    path: '/entry/0/changes/0/value/messages/0',
    providerMessageId: 'wamid.M1',
    direction: 'in',
    customer: [
      { kind: 'phone', value: '+4915112345678' },
      { kind: 'wa_id', value: '4915112345678' },
    ],
    profileName: 'Ada Fern',
    content: { type: 'text', text: 'Hello' },
  });
});

const contents: readonly (readonly [string, object, object])[] = [
  ['an empty text', { type: 'text', text: { body: '' } }, { type: 'text', text: '' }],
  ['an image', { type: 'image', image: { ...file, caption: 'Look' } }, { type: 'image', media, caption: 'Look' }],
  ['a video', { type: 'video', video: file }, { type: 'video', media }],
  ['a voice note', { type: 'audio', audio: { ...file, voice: true } }, { type: 'audio', media, isVoice: true }],
  ['a sound', { type: 'audio', audio: { ...file, voice: false } }, { type: 'audio', media }],
  [
    'a document',
    { type: 'document', document: { ...file, filename: 'bill.pdf', caption: 'Bill' } },
    { type: 'document', media: { ...media, fileName: 'bill.pdf' }, caption: 'Bill' },
  ],
  ['a sticker', { type: 'sticker', sticker: { ...file, animated: true } }, { type: 'sticker', media }],
  [
    'a place',
    {
      type: 'location',
      location: { latitude: 52.5, longitude: '13.4', name: 'Mill', address: 'Mill Lane 1', url: 'x' },
    },
    { type: 'location', latitude: 52.5, longitude: 13.4, name: 'Mill', address: 'Mill Lane 1' },
  ],
  [
    'cards',
    {
      type: 'contacts',
      contacts: [
        {
          name: { formatted_name: 'Bo Reed' },
          org: { company: 'Reed & Co' },
          phones: [{ phone: '+49 30 1', wa_id: '49301' }, { wa_id: '49302' }, {}],
          emails: [{ email: 'bo@reed.example' }],
        },
        { name: { first_name: 'Cy', last_name: 'Moss' } },
      ],
    },
    {
      type: 'contacts',
      contacts: [
        { name: 'Bo Reed', phones: ['+49 30 1', '49302'], emails: ['bo@reed.example'], organisation: 'Reed & Co' },
        { name: 'Cy Moss', phones: [], emails: [] },
      ],
    },
  ],
  [
    'a reaction',
    { type: 'reaction', reaction: { message_id: 'wamid.T', emoji: '🌿' } },
    { type: 'reaction', targetId: 'wamid.T', emoji: '🌿' },
  ],
  [
    'a reaction taken away',
    { type: 'reaction', reaction: { message_id: 'wamid.T', emoji: '' } },
    { type: 'reaction', targetId: 'wamid.T', emoji: null },
  ],
  [
    'a reaction without an emoji',
    { type: 'reaction', reaction: { message_id: 'wamid.T' } },
    { type: 'reaction', targetId: 'wamid.T', emoji: null },
  ],
  [
    'a tapped button',
    { type: 'interactive', interactive: { type: 'button_reply', button_reply: { id: 'yes', title: 'Yes' } } },
    { type: 'button_reply', id: 'yes', title: 'Yes' },
  ],
  [
    'a chosen row',
    {
      type: 'interactive',
      interactive: { type: 'list_reply', list_reply: { id: 'r1', title: 'One', description: 'First' } },
    },
    { type: 'list_reply', id: 'r1', title: 'One', description: 'First' },
  ],
  [
    'a form whose answer is no object',
    {
      type: 'interactive',
      interactive: { type: 'nfm_reply', nfm_reply: { name: 'flow', body: 'Sent', response_json: '[1]' } },
    },
    { type: 'flow_reply', name: 'flow', answer: '[1]', text: 'Sent' },
  ],
  [
    'a call permission',
    {
      type: 'interactive',
      interactive: { type: 'call_permission_reply', call_permission_reply: { response: 'accept' } },
    },
    { type: 'flow_reply', name: 'call_permission_reply', answer: '{"response":"accept"}' },
  ],
  [
    'a template’s quick reply',
    { type: 'button', button: { payload: 'STOP', text: 'Stop it' } },
    { type: 'button_reply', id: 'STOP', title: 'Stop it' },
  ],
  [
    'an order',
    {
      type: 'order',
      order: {
        catalog_id: '5',
        text: '',
        product_items: [
          { product_retailer_id: 'sku-1', quantity: 2, item_price: 12.5, currency: 'EUR' },
          { product_retailer_id: 'sku-2', quantity: '3', item_price: '0.99', currency: 'EUR' },
        ],
      },
    },
    {
      type: 'order',
      catalogId: '5',
      items: [
        { productId: 'sku-1', quantity: 2, price: '12.5', currency: 'EUR' },
        { productId: 'sku-2', quantity: 3, price: '0.99', currency: 'EUR' },
      ],
    },
  ],
  [
    'a changed number',
    { type: 'system', system: { type: 'user_changed_number', body: 'A changed', wa_id: '4915100000000' } },
    { type: 'system', name: 'user_changed_number', text: 'A changed', newAddress: '4915100000000' },
  ],
  [
    'a changed number, in the older spelling',
    { type: 'system', system: { type: 'user_changed_number', new_wa_id: '4915100000000' } },
    { type: 'system', name: 'user_changed_number', newAddress: '4915100000000' },
  ],
  [
    'a changed identity',
    { type: 'system', system: { type: 'customer_identity_changed', body: 'New keys' } },
    { type: 'system', name: 'customer_identity_changed', text: 'New keys' },
  ],
  [
    'an edit',
    { type: 'edit', edit: { original_message_id: 'wamid.T', message: { type: 'text', text: { body: 'Better' } } } },
    { type: 'edit', targetId: 'wamid.T', content: { type: 'text', text: 'Better' } },
  ],
  [
    'an edit that shows nothing',
    { type: 'edit', edit: { original_message_id: 'wamid.T' } },
    { type: 'edit', targetId: 'wamid.T', content: null },
  ],
  [
    'a revocation',
    { type: 'revoke', revoke: { original_message_id: 'wamid.T' } },
    { type: 'delete', targetId: 'wamid.T' },
  ],
  [
    'what Meta cannot show',
    {
      type: 'unsupported',
      unsupported: { type: 'poll_creation' },
      errors: [{ code: 131051, title: 'Message type unknown', error_data: { details: 'Not supported.' } }],
    },
    { type: 'unsupported', name: 'poll_creation', text: 'Not supported.' },
  ],
  [
    'what Meta calls unknown',
    { type: 'unknown', errors: [{ code: 131051, title: 'Unsupported', details: 'Not now' }] },
    { type: 'unsupported', name: 'unknown', text: 'Not now' },
  ],
  ['a type of tomorrow', { type: 'hologram', hologram: { id: 1 } }, { type: 'unsupported', name: 'hologram' }],
  ['a type named like a member of every object', { type: 'constructor' }, { type: 'unsupported', name: 'constructor' }],
  ['a text without its text', { type: 'text', text: null }, { type: 'unsupported', name: 'text' }],
  ['a type left out', { text: { body: 'Hi' } }, { type: 'text', text: 'Hi' }],
];

test.each(contents)('reads %s', (_name, member, content) => {
  const event = only(messageDelivery(member));
  expect(event).toMatchObject({ kind: 'message', type: (content as { type: string }).type, key: 'wamid.M1' });
  expect(event.kind === 'message' && event.content).toEqual(content);
});

describe('around the content', () => {
  const text = { type: 'text', text: { body: 'Hi' } };

  test('a reply, a forwarded message, a group', () => {
    expect(only(messageDelivery({ ...text, context: { from: 'x', id: 'wamid.Q' } }))).toMatchObject({
      replyTo: 'wamid.Q',
    });
    expect(only(messageDelivery({ ...text, context: { forwarded: true } }))).toMatchObject({ isForwarded: true });
    expect(only(messageDelivery({ ...text, context: { frequently_forwarded: true } }))).toMatchObject({
      isForwarded: true,
    });
    expect(only(messageDelivery({ ...text, group_id: 'G1' }))).toMatchObject({ groupId: 'G1' });
    expect(only(messageDelivery(text))).not.toHaveProperty('isForwarded');
  });

  test('the advertisement or the product that led here', () => {
    const referral = {
      source_url: 'https://fb.example/ad',
      source_id: '12',
      source_type: 'ad',
      headline: 'Ferns',
      body: 'Green ones',
      ctwa_clid: 'click',
      media_type: 'image',
    };
    expect(only(messageDelivery({ ...text, referral }))).toMatchObject({
      referral: {
        sourceType: 'ad',
        sourceId: '12',
        sourceUrl: 'https://fb.example/ad',
        headline: 'Ferns',
        body: 'Green ones',
        clickId: 'click',
      },
    });
    const context = { id: 'wamid.Q', referred_product: { catalog_id: '5', product_retailer_id: 'sku-1' } };
    expect(only(messageDelivery({ ...text, context }))).toMatchObject({
      replyTo: 'wamid.Q',
      referral: { sourceType: 'product', sourceId: 'sku-1' },
    });
  });

  test.each([
    ['1750000000', '2025-06-15T15:06:40.000Z'],
    [1750000000, '2025-06-15T15:06:40.000Z'],
    [1750000000123, '2025-06-15T15:06:40.123Z'],
    ['TIMESTAMP', '2025-06-15T15:08:20.000Z'],
    [null, '2025-06-15T15:08:20.000Z'],
  ])('the time %j is %s, the entry’s where there is none', (timestamp, instant) => {
    expect(only(messageDelivery({ ...text, timestamp })).occurredAt).toBe(instant);
  });
});

describe('who wrote', () => {
  const text = { type: 'text', text: { body: 'Hi' } };
  const bea = {
    profile: { name: 'Bea', username: '@bea' },
    wa_id: '4915200000000',
    user_id: 'DE.222',
    parent_user_id: 'DE.ENT.999',
  };
  const noPhone = { profile: { name: 'Cleo' }, user_id: 'DE.333' };

  test('a contact belongs to the message with its id, not to the one in its place', () => {
    const messages = [
      message({ ...text, id: 'wamid.1', from: '4915200000000' }),
      message({ ...text, id: 'wamid.2', from: undefined, from_user_id: 'DE.333' }),
      message({ ...text, id: 'wamid.3', from: '4915399999999' }),
    ];
    const { events } = normalise(valueDelivery({ contacts: [noPhone, contact, bea], messages }));
    expect(events).toMatchObject([
      {
        profileName: 'Bea',
        customer: [
          { kind: 'phone', value: '+4915200000000' },
          { kind: 'wa_id', value: '4915200000000' },
          { kind: 'bsuid', value: 'DE.222' },
          { kind: 'username', value: '@bea' },
        ],
      },
      { profileName: 'Cleo', customer: [{ kind: 'bsuid', value: 'DE.333' }] },
      {
        customer: [
          { kind: 'phone', value: '+4915399999999' },
          { kind: 'wa_id', value: '4915399999999' },
        ],
      },
    ]);
    expect(events[2]).not.toHaveProperty('profileName');
  });

  test('a message that names nobody is of the only contact, and of nobody where there are two', () => {
    const messages = [message({ ...text, from: '' })];
    expect(only(valueDelivery({ contacts: [noPhone], messages }))).toMatchObject({
      profileName: 'Cleo',
      customer: [{ kind: 'bsuid', value: 'DE.333' }],
    });
    expect(normalise(valueDelivery({ contacts: [noPhone, contact], messages }))).toEqual({
      events: [],
      unreadable: [{ path: '/entry/0/changes/0/value/messages/0', reason: 'a message that names nobody' }],
    });
  });

  test('a number that cannot be a phone is kept as wa_id only', () => {
    const event = only(messageDelivery({ ...text, from: '0123' }));
    expect(event).toMatchObject({ customer: [{ kind: 'wa_id', value: '0123' }] });
  });
});

test('an echo is ours, of the one it went to, and never inbound', () => {
  const message_echoes = [
    {
      from: '4930111222',
      to: contact.wa_id,
      id: 'wamid.E',
      timestamp: '1750000000',
      type: 'text',
      text: { body: 'From my phone' },
    },
    {
      from: '4930111222',
      to_user_id: 'DE.333',
      id: 'wamid.F',
      timestamp: '1750000000',
      type: 'image',
      image: { id: '1' },
    },
  ];
  const { events } = normalise(valueDelivery({ contacts: [contact], message_echoes }, 'smb_message_echoes'));
  expect(events).toMatchObject([
    {
      kind: 'message',
      type: 'echo',
      key: 'wamid.E',
      direction: 'out',
      profileName: 'Ada Fern',
      customer: [
        { kind: 'phone', value: '+4915112345678' },
        { kind: 'wa_id', value: '4915112345678' },
      ],
      content: { type: 'text', text: 'From my phone' },
    },
    { type: 'echo', direction: 'out', customer: [{ kind: 'bsuid', value: 'DE.333' }], content: { type: 'image' } },
  ]);
});

describe('history', () => {
  test('threads keep their customer, our own messages are out, all is marked', () => {
    const threads = [
      {
        id: '4915112345678',
        messages: [
          { from: '4930111222', id: 'wamid.H1', timestamp: '1740000000', type: 'text', text: { body: 'Ours' } },
          { from: '4915112345678', id: 'wamid.H2', timestamp: '1740000001', type: 'text', text: { body: 'Theirs' } },
          { from: '4915112345678', id: 'wamid.H3', timestamp: '1740000002', type: 'media_placeholder' },
        ],
      },
    ];
    const history = [{ metadata: { phase: 1, chunk_order: 2, progress: 40 }, threads }];
    const { events, unreadable } = normalise(valueDelivery({ history }, 'history'));
    expect(unreadable).toEqual([]);
    const customer = [
      { kind: 'phone', value: '+4915112345678' },
      { kind: 'wa_id', value: '4915112345678' },
    ];
    expect(events).toMatchObject([
      { kind: 'account', type: 'account', name: 'history', facts: { phase: 1, chunk_order: 2, progress: 40 } },
      { type: 'echo', direction: 'out', key: 'wamid.H1', customer, isHistory: true },
      { type: 'text', direction: 'in', key: 'wamid.H2', customer, isHistory: true },
      { type: 'unsupported', direction: 'in', customer, content: { name: 'media_placeholder' }, isHistory: true },
    ]);
    expect(events[2]?.path).toBe('/entry/0/changes/0/value/history/0/threads/0/messages/1');
  });

  test('media of history come later, as messages of the field history', () => {
    const messages = [message({ type: 'image', image: { id: '9' } })];
    expect(only(valueDelivery({ messages }, 'history'))).toMatchObject({
      type: 'image',
      direction: 'in',
      isHistory: true,
    });
  });

  test('a declined import is an error event', () => {
    const history = [{ errors: [{ code: 2593109, title: 'History sync is turned off' }] }];
    expect(only(valueDelivery({ history }, 'history'))).toMatchObject({
      kind: 'account',
      type: 'error',
      name: 'history',
      facts: { code: 2593109 },
    });
  });
});
