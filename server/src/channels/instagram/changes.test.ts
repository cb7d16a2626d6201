import { describe, expect, test } from 'vitest';
import { accountId, changeDelivery, delivery, normalise, only } from './sample.ts';

const bindings = [{ kind: 'instagram_id', value: accountId }];
const comment = {
  id: '18000000000000001',
  text: 'Lovely',
  from: { id: '55', username: 'bo.reed' },
  media: { id: '66', media_product_type: 'FEED' },
  parent_id: '17000000000000001',
};

describe('comments', () => {
  test('have the id of the comment as key, and seconds as time', () => {
    expect(only(changeDelivery('comments', comment))).toEqual({
      kind: 'message',
      type: 'comment',
      key: '18000000000000001',
      occurredAt: '2025-06-15T15:08:20.000Z',
      bindings,
      path: '/entry/0/changes/0/value',
      providerMessageId: '18000000000000001',
      direction: 'in',
      customer: [
        { kind: 'instagram', value: '55' },
        { kind: 'username', value: 'bo.reed' },
      ],
      content: { type: 'comment', text: 'Lovely', mediaId: '66', parentId: '17000000000000001' },
    });
  });

  test('are known by comment_id where there is no id, and live ones as live', () => {
    const { id, ...rest } = comment;
    expect(only(changeDelivery('comments', { ...rest, comment_id: id })).key).toBe(id);
    expect(only(changeDelivery('live_comments', comment))).toMatchObject({
      type: 'comment',
      key: id,
      content: { type: 'comment', isLive: true },
    });
  });

  test('of our own are echoes: nobody answers them', () => {
    expect(only(changeDelivery('comments', { ...comment, from: { id: accountId } }))).toMatchObject({
      type: 'echo',
      direction: 'out',
      customer: [],
      content: { type: 'comment' },
    });
  });

  test('come flat in an entry, and as the dashboard’s sample without an entry', () => {
    expect(only(delivery({ id: accountId, time: 1_750_000_100, field: 'comments', value: comment }))).toMatchObject({
      key: comment.id,
      bindings,
      path: '/entry/0/value',
    });
    expect(only({ field: 'live_comments', value: comment })).toMatchObject({
      key: comment.id,
      bindings: [],
      path: '/value',
    });
    expect(only({ sample: { field: 'comments', value: comment } })).toMatchObject({ path: '/sample/value' });
    expect(
      only({ object: 'instagram', entry: [{ id: '0', changes: [{ field: 'comments', value: comment }] }] }),
    ).toMatchObject({
      bindings: [],
    });
  });
});

test('a mention is known by what it names', () => {
  const ofComment = only(changeDelivery('mentions', { media_id: '66', comment_id: '77' }));
  expect(ofComment).toMatchObject({
    kind: 'message',
    type: 'mention',
    direction: 'in',
    customer: [],
    content: { type: 'mention', mediaId: '66', commentId: '77' },
  });
  const ofMedia = only(changeDelivery('mentions', { media_id: '66' }));
  expect(ofMedia).toMatchObject({ content: { type: 'mention', mediaId: '66' } });
  expect(ofMedia.key).toMatch(new RegExp(`^mentions:${accountId}:[0-9a-f]{64}$`));
  expect(ofMedia.key).not.toBe(ofComment.key);
});

test('story insights are an account event', () => {
  expect(only(changeDelivery('story_insights', { media_id: '66', reach: -1 }))).toMatchObject({
    kind: 'account',
    type: 'insight',
    name: 'story_insights',
    bindings,
    facts: { media_id: '66', reach: -1 },
  });
});

test('many changes of one entry, all of them', () => {
  const changes = [
    { field: 'mentions', value: { media_id: '1' } },
    { field: 'comments', value: comment },
    { field: 'telepathy', value: {} },
    { field: 'comments', value: 3 },
    { field: 'comments', value: { text: 'no id' } },
    { field: 'mentions', value: {} },
  ];
  const { events, unreadable } = normalise(delivery({ id: accountId, changes }));
  expect(events.map(({ kind, type }) => [kind, type])).toEqual([
    ['message', 'mention'],
    ['message', 'comment'],
    ['unsupported', 'telepathy'],
  ]);
  expect(unreadable.map(({ path }) => path)).toEqual([
    '/entry/0/changes/3',
    '/entry/0/changes/4',
    '/entry/0/changes/5',
  ]);
});

test('a page is served, another object is one unsupported event, an empty delivery holds nothing', () => {
  expect(
    only({ object: 'page', entry: [{ id: '9', changes: [{ field: 'mentions', value: { media_id: '1' } }] }] }),
  ).toMatchObject({
    type: 'mention',
  });
  expect(only({ object: 'user', entry: [] })).toMatchObject({ kind: 'unsupported', type: 'user', path: '' });
  expect(normalise({ object: 'page', entry: [] })).toEqual({ events: [], unreadable: [] });
});
