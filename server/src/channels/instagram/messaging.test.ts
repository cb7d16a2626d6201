import { describe, expect, test } from 'vitest';
import {
  accountId,
  customerId,
  delivery,
  entry,
  item,
  messagingDelivery,
  normalise,
  only,
  timestampMs,
} from './sample.ts';

const bindings = [{ kind: 'instagram_id', value: accountId }];
const customer = [{ kind: 'instagram', value: customerId }];

test('a message has its key, time, account, person and place', () => {
  expect(only(messagingDelivery({ message: { mid: 'mid.1', text: 'Hello' } }))).toEqual({
    kind: 'message',
    type: 'text',
    key: 'mid.1',
    occurredAt: '2025-06-15T15:06:40.123Z',
    bindings,
    path: '/entry/0/messaging/0',
    providerMessageId: 'mid.1',
    direction: 'in',
    customer,
    content: { type: 'text', text: 'Hello' },
  });
});

const url = 'https://cdn.example/1';
const attachment = (type: string, payload?: object) => ({ attachments: [{ type, payload }] });
const contents: readonly (readonly [string, object, object])[] = [
  ['an image', attachment('image', { url }), { type: 'image', media: { url } }],
  [
    'a video with words',
    { text: 'Look', ...attachment('video', { url }) },
    { type: 'video', media: { url }, caption: 'Look' },
  ],
  ['a sound', attachment('audio', { url }), { type: 'audio', media: { url } }],
  ['a file', attachment('file', { url }), { type: 'document', media: { url } }],
  ['a heart', attachment('like_heart'), { type: 'sticker', media: {} }],
  ['a sticker', attachment('image', { url, sticker_id: 5 }), { type: 'sticker', media: { url } }],
  [
    'several images',
    {
      attachments: [
        { type: 'image', payload: { url } },
        { type: 'image', payload: { url: `${url}0` } },
      ],
    },
    { type: 'image', media: { url }, more: [{ url }, { url: `${url}0` }] },
  ],
  ['a shared post', attachment('share', { url }), { type: 'share', media: { url } }],
  [
    'a shared reel',
    { text: 'See', ...attachment('ig_reel', { url, title: 'Reel', reel_video_id: 99 }) },
    { type: 'share', media: { id: '99', url }, title: 'Reel', text: 'See' },
  ],
  ['a reel', attachment('reel', { url }), { type: 'share', media: { url } }],
  ['a post', attachment('ig_post', { url, ig_post_media_id: '8' }), { type: 'share', media: { id: '8', url } }],
  ['a story', attachment('ig_story', { url }), { type: 'share', media: { url } }],
  [
    'a link',
    { attachments: [{ type: 'fallback', title: 'Page', url }] },
    { type: 'share', media: { url }, title: 'Page' },
  ],
  ['a mention in a story', attachment('story_mention', { url }), { type: 'story_mention', media: { url } }],
  [
    'a place',
    attachment('location', { coordinates: { lat: 1.5, long: -2.5 } }),
    { type: 'location', latitude: 1.5, longitude: -2.5 },
  ],
  ['a place that is nowhere', attachment('location', {}), { type: 'unsupported', name: 'location' }],
  [
    'an attachment of tomorrow',
    { text: 'Hm', ...attachment('dream', { url }) },
    { type: 'unsupported', name: 'dream', text: 'Hm' },
  ],
  [
    'a quick reply',
    { text: 'Yes', quick_reply: { payload: 'yes' } },
    { type: 'button_reply', id: 'yes', title: 'Yes' },
  ],
  [
    'a quick reply without its words',
    { quick_reply: { payload: 'yes' } },
    { type: 'button_reply', id: 'yes', title: 'yes' },
  ],
  [
    'an answer to a story',
    { text: 'Nice', reply_to: { story: { id: '4', url } } },
    { type: 'story_reply', text: 'Nice', storyId: '4', storyUrl: url },
  ],
  ['what Instagram cannot show', { is_unsupported: true }, { type: 'unsupported', name: 'unsupported' }],
  ['nothing', {}, { type: 'unsupported', name: 'empty' }],
];

test.each(contents)('reads %s', (_name, member, content) => {
  const event = only(messagingDelivery({ message: { mid: 'mid.1', ...member } }));
  expect(event).toMatchObject({ kind: 'message', type: (content as { type: string }).type, key: 'mid.1' });
  expect(event.kind === 'message' && event.content).toEqual(content);
});

test('a reply quotes, an advertisement leads here', () => {
  const referral = {
    ref: 'spring',
    ad_id: 77,
    source: 'ADS',
    type: 'OPEN_THREAD',
    ads_context_data: { ad_title: 'Ferns' },
  };
  const message = { mid: 'mid.1', text: 'Hi', reply_to: { mid: 'mid.0' }, referral };
  expect(only(messagingDelivery({ message }))).toMatchObject({
    replyTo: 'mid.0',
    referral: { ref: 'spring', sourceId: '77', sourceType: 'ADS', headline: 'Ferns' },
  });
});

describe('what is about a message has a key of its own', () => {
  const about = [
    { message: { mid: 'mid.1', text: 'Hi' } },
    { message: { mid: 'mid.1', is_deleted: true } },
    { message_edit: { mid: 'mid.1', text: 'Hey', num_edit: 1 } },
    { message_edit: { mid: 'mid.1', text: 'Hey!', num_edit: 2 } },
    { reaction: { mid: 'mid.1', action: 'react', reaction: 'love', emoji: '❤️' } },
    { reaction: { mid: 'mid.1', action: 'unreact' } },
  ];

  test('message, deletion, edits and reactions do not take one another’s place', () => {
    const { events, unreadable } = normalise(messagingDelivery(...about));
    expect(unreadable).toEqual([]);
    expect(events.map(({ type, key }) => [type, key])).toEqual([
      ['text', 'mid.1'],
      ['delete', 'mid.1:deleted'],
      ['edit', 'mid.1:1'],
      ['edit', 'mid.1:2'],
      ['reaction', `mid.1:${customerId}:react:${timestampMs}`],
      ['reaction', `mid.1:${customerId}:unreact:${timestampMs}`],
    ]);
    expect(events.map((event) => event.kind === 'message' && event.content)).toEqual([
      { type: 'text', text: 'Hi' },
      { type: 'delete', targetId: 'mid.1' },
      { type: 'edit', targetId: 'mid.1', content: { type: 'text', text: 'Hey' } },
      { type: 'edit', targetId: 'mid.1', content: { type: 'text', text: 'Hey!' } },
      { type: 'reaction', targetId: 'mid.1', emoji: '❤️' },
      { type: 'reaction', targetId: 'mid.1', emoji: null },
    ]);
    const ids = events.map((event) => event.kind === 'message' && event.providerMessageId);
    expect(new Set(ids).size).toBe(about.length);
  });

  test('an edit without a number is told apart by its words', () => {
    const keyOf = (text: string) => only(messagingDelivery({ message_edit: { mid: 'mid.1', text } })).key;
    expect(keyOf('a')).toBe(keyOf('a'));
    expect(keyOf('a')).not.toBe(keyOf('b'));
  });

  test('an id beyond 2^53 and a time in a string stay as they came', () => {
    const body = JSON.stringify(messagingDelivery({ reaction: { mid: 'mid.1', action: 'react' } }))
      .replace(`"${customerId}"`, '98765432109876543210')
      .replace(String(timestampMs), '"1750000000"');
    expect(only(body)).toMatchObject({
      key: 'mid.1:98765432109876543210:react:1750000000',
      occurredAt: '2025-06-15T15:06:40.000Z',
    });
  });
});

describe('postbacks, referrals, receipts', () => {
  test('a postback is a tapped button; without mid its time and payload are its key', () => {
    const postback = { title: 'Start', payload: 'start', referral: { ref: 'spring' } };
    expect(only(messagingDelivery({ postback: { mid: 'mid.P', ...postback } }))).toMatchObject({
      type: 'button_reply',
      key: 'mid.P',
      content: { type: 'button_reply', id: 'start', title: 'Start' },
      referral: { ref: 'spring' },
    });
    expect(only(messagingDelivery({ postback })).key).toBe(`${timestampMs}:start`);
  });

  test('a referral alone', () => {
    const referral = { ref: 'spring', source: 'IGME-SOURCE-LINK', type: 'OPEN_THREAD' };
    expect(only(messagingDelivery({ referral }))).toMatchObject({
      kind: 'message',
      type: 'referral',
      key: `${customerId}:${timestampMs}`,
      referral: { ref: 'spring', sourceType: 'IGME-SOURCE-LINK' },
    });
  });

  test('seen is a read status up to a message', () => {
    expect(only(messagingDelivery({ read: { mid: 'mid.1' } }))).toEqual({
      kind: 'status',
      type: 'read',
      key: 'mid.1',
      occurredAt: '2025-06-15T15:06:40.123Z',
      bindings,
      path: '/entry/0/messaging/0',
      providerMessageId: 'mid.1',
      customer,
      errors: [],
      isUpTo: true,
    });
  });

  test('a page’s deliveries are a status each; a receipt of a time alone is kept as unsupported', () => {
    const { events } = normalise(messagingDelivery({ delivery: { mids: ['a', 'b', null], watermark: 1 } }));
    expect(events).toMatchObject([
      { kind: 'status', type: 'delivered', key: 'a:delivered', providerMessageId: 'a' },
      { kind: 'status', type: 'delivered', key: 'b:delivered', providerMessageId: 'b' },
    ]);
    expect(only(messagingDelivery({ delivery: { watermark: 1 } }))).toMatchObject({
      kind: 'unsupported',
      type: 'delivery',
    });
    expect(only(messagingDelivery({ read: { watermark: 1 } }))).toMatchObject({ kind: 'unsupported', type: 'read' });
  });
});

describe('our own', () => {
  const out = { sender: { id: accountId }, recipient: { id: customerId } };

  test('an echo is out, of the one it went to, whichever side an example prints', () => {
    const echo = { message: { mid: 'mid.E', text: 'From us', is_echo: true } };
    const expected = {
      type: 'echo',
      direction: 'out',
      key: 'mid.E',
      customer,
      content: { type: 'text', text: 'From us' },
    };
    expect(only(messagingDelivery({ ...echo, ...out }))).toMatchObject(expected);
    expect(only(messagingDelivery(echo))).toMatchObject(expected);
    expect(only(messagingDelivery({ message: { mid: 'mid.E', text: 'From us' }, ...out }))).toMatchObject(expected);
  });

  test('a deletion and a reaction of ours are echoes too', () => {
    expect(
      only(messagingDelivery({ message: { mid: 'mid.E', is_echo: true, is_deleted: true }, ...out })),
    ).toMatchObject({
      type: 'echo',
      key: 'mid.E:deleted',
      content: { type: 'delete', targetId: 'mid.E' },
    });
    expect(only(messagingDelivery({ reaction: { mid: 'm', action: 'react', emoji: 'x' }, ...out }))).toMatchObject({
      type: 'echo',
      direction: 'out',
      customer,
    });
  });
});

describe('other members', () => {
  test('an opt-in, and one taken back', () => {
    expect(only(messagingDelivery({ optin: { ref: 'box' } }))).toMatchObject({
      kind: 'account',
      type: 'opt',
      name: 'optin',
      opt: { customer, topic: 'optin', choice: 'in' },
    });
    const optin = { type: 'notification_messages', notification_messages_status: 'STOP_NOTIFICATIONS' };
    expect(only(messagingDelivery({ optin }))).toMatchObject({
      opt: { topic: 'notification_messages', choice: 'out' },
    });
  });

  test.each(['pass_thread_control', 'take_thread_control', 'request_thread_control'])('%s is a handover', (name) => {
    const event = only(messagingDelivery({ [name]: { new_owner_app_id: '1' } }));
    expect(event).toMatchObject({ kind: 'account', type: 'handover', name, bindings });
    expect(event.key).toMatch(new RegExp(`^${name}:${accountId}:[0-9a-f]{64}$`));
  });

  test('a member of tomorrow is one unsupported event', () => {
    expect(only(messagingDelivery({ telepathy: {} }))).toMatchObject({
      kind: 'unsupported',
      type: 'telepathy',
      bindings,
    });
  });

  test('stand-by is kept as history; a message written as a change is a message', () => {
    const message = { mid: 'mid.1', text: 'Hi' };
    expect(only(delivery(entry({ standby: [item({ message })] })))).toMatchObject({
      type: 'text',
      isHistory: true,
      path: '/entry/0/standby/0',
    });
    expect(only(delivery(entry({ changes: [{ field: 'messages', value: item({ message }) }] })))).toMatchObject({
      type: 'text',
      key: 'mid.1',
      path: '/entry/0/changes/0/value',
    });
  });
});

test('bad items do not harm their neighbours', () => {
  const body = delivery(
    entry({
      messaging: [
        null,
        item({ message: { text: 'no mid' } }),
        { recipient: { id: accountId }, message: { mid: 'x' } },
        [],
        item({ message: { mid: 'good', text: 'Hi' } }),
      ],
      standby: 'odd',
      changes: [{ field: 'comments', value: { id: 'c1', from: { id: '5' }, text: 'Fine' } }, {}],
    }),
  );
  const { events, unreadable } = normalise(body);
  expect(events.map((event) => event.key)).toEqual(['good', 'c1']);
  expect(unreadable).toEqual([
    { path: '/entry/0/messaging/0', reason: 'expected an object' },
    { path: '/entry/0/messaging/1', reason: 'a part without its mid' },
    { path: '/entry/0/messaging/2', reason: 'a message that names nobody' },
    { path: '/entry/0/messaging/3', reason: 'expected an object' },
    { path: '/entry/0/standby', reason: 'expected a list' },
    { path: '/entry/0/changes/1', reason: 'a change without a value' },
  ]);
});
