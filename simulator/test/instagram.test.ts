import { createHmac } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { type Stage, setStage } from './support/stage.ts';

const ACCOUNT = '17841400000000001';
const PERSON = '17800000000000009';
const instagram = {
  provider: 'instagram',
  number: ACCOUNT,
  secrets: { appSecret: 'ig-secret', accessToken: 'IGtoken' },
};

let stage: Stage;
beforeAll(async () => {
  stage = await setStage();
});
afterAll(() => stage.close());
beforeEach(async () => {
  await stage.control('DELETE', 'numbers');
  await stage.register(instagram);
});

async function personWrites(content: Record<string, unknown>, extra: Record<string, unknown> = {}) {
  await stage.inbound({ provider: 'instagram', number: ACCOUNT, from: PERSON, content, ...extra });
  const received = stage.receiver.all.at(-1)!;
  return { received, entry: JSON.parse(received.text).entry[0] };
}

function send(body: Record<string, unknown>, id = ACCOUNT) {
  return stage.call(`${stage.simulator.urls.graph}/v23.0/${id}/messages`, {
    method: 'POST',
    headers: { authorization: 'Bearer IGtoken', 'content-type': 'application/json' },
    body: JSON.stringify({ recipient: { id: PERSON }, ...body }),
  });
}

test('signs direct messages and writes their time in milliseconds', async () => {
  const { received, entry } = await personWrites({ type: 'text', text: 'olá' });
  const expected = createHmac('sha256', 'ig-secret').update(received.body).digest('hex');
  expect(received.headers['x-hub-signature-256']).toBe(`sha256=${expected}`);
  expect(JSON.parse(received.text).object).toBe('instagram');
  expect(entry.id).toBe(ACCOUNT);
  expect(entry.messaging[0]).toMatchObject({
    sender: { id: PERSON },
    recipient: { id: ACCOUNT },
    message: { text: 'olá' },
  });
  expect(entry.messaging[0].timestamp).toBeGreaterThan(1e12);
});

test.each([
  ['an image', { type: 'image' }, { message: { attachments: [{ type: 'image' }] } }],
  ['a story mention', { type: 'story_mention' }, { message: { attachments: [{ type: 'story_mention' }] } }],
  ['a story reply', { type: 'story_reply', text: 'nice' }, { message: { reply_to: { story: {} }, text: 'nice' } }],
  ['a quick reply', { type: 'button_reply', id: 'p', title: 'T' }, { message: { quick_reply: { payload: 'p' } } }],
  ['a postback', { type: 'button_reply', id: 'p', title: 'T', isTemplateButton: true }, { postback: { payload: 'p' } }],
  ['a reaction', { type: 'reaction', targetId: 'm', emoji: '❤️' }, { reaction: { mid: 'm', action: 'react' } }],
  ['a reaction taken back', { type: 'reaction', targetId: 'm' }, { reaction: { mid: 'm', action: 'unreact' } }],
  ['an edit', { type: 'edit', targetId: 'm', text: 'n' }, { message_edit: { mid: 'm', text: 'n', num_edit: 1 } }],
  ['a deletion', { type: 'delete', targetId: 'm' }, { message: { mid: 'm', is_deleted: true } }],
  ['a referral', { type: 'referral', ref: 'r1' }, { referral: { ref: 'r1', type: 'OPEN_THREAD' } }],
  [
    'a share',
    { type: 'share', title: 'Post' },
    { message: { attachments: [{ type: 'share', payload: { title: 'Post' } }] } },
  ],
])('posts %s', async (_name, content, expected) => {
  const { entry } = await personWrites(content);
  expect(entry.messaging[0]).toMatchObject(expected);
});

test('posts comments and mentions as changes in seconds, and stand-by beside messaging', async () => {
  const { entry } = await personWrites({ type: 'comment', text: 'wow' });
  expect(entry.changes[0]).toMatchObject({ field: 'comments', value: { text: 'wow', from: { id: PERSON } } });
  expect(entry.time).toBeLessThan(1e11);
  expect((await personWrites({ type: 'mention' })).entry.changes[0].field).toBe('mentions');
  expect((await personWrites({ type: 'text', text: 'a' }, { isStandby: true })).entry.standby[0].message.text).toBe(
    'a',
  );
});

test('takes a send inside the window, echoes it and reports it read', async () => {
  await personWrites({ type: 'text', text: 'hi' });
  const answer = await send({ message: { text: 'hello' } }, 'me');
  expect(answer.json).toEqual({ recipient_id: PERSON, message_id: expect.any(String) });
  const mid = answer.json.message_id;
  const [echo, read] = await stage.receiver.wait((received) => received.text.includes(mid), 2);
  expect(JSON.parse(echo!.text).entry[0].messaging[0]).toMatchObject({
    sender: { id: ACCOUNT },
    message: { mid, is_echo: true, text: 'hello' },
  });
  expect(JSON.parse(read!.text).entry[0].messaging[0]).toMatchObject({ sender: { id: PERSON }, read: { mid } });
});

test('refuses outside the window, longer for a human agent, and takes a private reply', async () => {
  const refused = await send({ message: { text: 'hello' } });
  expect([refused.status, refused.json.error.code]).toEqual([403, 10]);
  await personWrites({ type: 'text', text: 'hi' });
  await stage.control('POST', 'advance', { milliseconds: 2 * 86_400_000 });
  expect((await send({ message: { text: 'hello' } })).json.error.code).toBe(10);
  expect((await send({ message: { text: 'hello' }, messaging_type: 'MESSAGE_TAG', tag: 'HUMAN_AGENT' })).status).toBe(
    200,
  );
  expect((await send({ recipient: { comment_id: '180566' }, message: { text: 'hello' } })).status).toBe(200);
});

test.each([
  ['no recipient', { recipient: {}, message: { text: 'a' } }],
  ['no message', {}],
  ['too many bytes', { message: { text: 'é'.repeat(501) } }],
  [
    'fourteen quick replies',
    {
      message: {
        text: 'a',
        quick_replies: Array.from({ length: 14 }, (_, index) => ({
          content_type: 'text',
          title: 't',
          payload: `${index}`,
        })),
      },
    },
  ],
  ['an attachment without a payload', { message: { attachment: { type: 'image' } } }],
])('refuses %s with code 100', async (_name, body) => {
  await personWrites({ type: 'text', text: 'hi' });
  const answer = await send(body);
  expect([answer.status, answer.json.error.code]).toEqual([400, 100]);
});
