import type { MessageContent } from '@switchyard/contract';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { MessageAct, NewMessage } from '#conversations';
import { newId } from '#kernel';
import { type Meeting, openShopWorld, type ShopWorld } from '../support/shop-world.ts';

let world: ShopWorld;
let here: Meeting;
let next = 0;
const serial = () => String(1_000_000 + next++);

beforeAll(async () => {
  world = await openShopWorld();
});
beforeEach(async () => {
  here = await world.meet([{ kind: 'wa_id', value: `3462${serial()}` }], { profileName: 'Ana' });
});
afterAll(() => world.close());

const noon = new Date('2026-03-01T12:00:00.000Z');
const minutes = (count: number) => new Date(noon.getTime() + count * 60_000);
const text = (body: string): MessageContent => ({ type: 'text', text: body });

function message(facts: Partial<NewMessage> = {}): NewMessage {
  return {
    id: newId('message'),
    conversationId: here.conversationId,
    accountId: world.accountId,
    direction: 'in',
    author: 'customer',
    content: text('hola'),
    providerMessageId: `wamid.${serial()}`,
    status: 'received',
    occurredAt: noon,
    ...facts,
  };
}

async function save(facts: Partial<NewMessage> = {}): Promise<NewMessage> {
  const saved = message(facts);
  expect(await world.run((tx) => world.conversations.insertMessage(tx, saved))).toBe(true);
  return saved;
}

const summary = () => world.run((tx) => world.conversations.findSummary(tx, here.conversationId));
const thread = async (limit = 50, cursor?: string) =>
  world.run((tx) =>
    world.conversations.listMessages(tx, here.conversationId, cursor === undefined ? { limit } : { limit, cursor }),
  );

function act(target: NewMessage, facts: Partial<MessageAct> = {}): MessageAct {
  return {
    accountId: world.accountId,
    conversationId: here.conversationId,
    targetId: target.providerMessageId ?? '',
    by: 'customer',
    at: minutes(1),
    ...facts,
  };
}

describe('saving a message', () => {
  it('moves the conversation with it', async () => {
    await save({ content: text('hola') });
    await save({ content: text('¿hay café?'), occurredAt: minutes(2) });
    expect(await summary()).toMatchObject({
      contactName: 'Ana',
      accountName: 'Norte',
      provider: 'meta',
      lastMessageText: '¿hay café?',
      lastMessageAt: minutes(2),
      lastInboundAt: minutes(2),
      unreadCount: 2,
    });
  });

  it('saves the same provider id once, and moves nothing the second time', async () => {
    const first = await save();
    const again = message({ providerMessageId: first.providerMessageId ?? '' });
    expect(await world.run((tx) => world.conversations.insertMessage(tx, again))).toBe(false);
    expect(await summary()).toMatchObject({ unreadCount: 1 });
  });

  it('does not go back for a message that comes late', async () => {
    await save({ content: text('second'), occurredAt: minutes(5) });
    await save({ content: text('first'), occurredAt: minutes(1) });
    expect(await summary()).toMatchObject({ lastMessageText: 'second', lastInboundAt: minutes(5) });
  });

  it.each([
    ['a comment', { content: { type: 'comment', text: 'nice!' } }, null],
    ['a system message', { content: { type: 'system', name: 'x' } }, null],
    ['a test', { isTest: true }, null],
    ['something typed on the phone', { author: 'device', direction: 'out', status: 'sent' }, null],
    ['a story mention', { content: { type: 'story_mention', media: {} } }, noon],
    ['a picture', { content: { type: 'image', media: { id: '1' } } }, noon],
  ] as const)('by %s opens the window or not', async (_name, facts, expected) => {
    await save(facts);
    expect((await summary())?.lastInboundAt ?? null).toEqual(expected);
  });

  it('counts as read what was there when somebody answers on the phone', async () => {
    await save();
    await save({ author: 'device', direction: 'out', status: 'sent', content: text('voy') });
    expect(await summary()).toMatchObject({ unreadCount: 0, lastMessageText: 'voy' });
  });

  it('keeps free entry to its end', async () => {
    await save({ freeEntryUntil: minutes(4320) });
    await save();
    expect(await summary()).toMatchObject({ freeEntryUntil: minutes(4320) });
  });

  it('holds what Postgres does not take, and leaves bytes to the delivery', async () => {
    await save({ content: text('a\u0000b\ud800') });
    await save({ content: { type: 'image', media: { mimeType: 'image/png', base64: 'AAAA' }, caption: 'x' } });
    const { data } = await thread();
    expect(data.map((one) => one.content)).toEqual([
      { type: 'image', media: { mimeType: 'image/png' }, caption: 'x' },
      text('a\ufffdb\ufffd'),
    ]);
  });
});

describe('edits, deletes and reactions', () => {
  it('changes the text, keeps a later edit, and ignores an earlier one', async () => {
    const saved = await save();
    const edit = (body: string, at: Date) =>
      world.run((tx) => world.conversations.applyEdit(tx, act(saved, { at }), text(body)));
    expect(await edit('hola!!', minutes(3))).toEqual({ kind: 'applied', messageId: saved.id });
    expect(await edit('hola!', minutes(2))).toEqual({ kind: 'late', messageId: saved.id });
    expect((await thread()).data[0]).toMatchObject({ text: 'hola!!', isEdited: true, isDeleted: false });
  });

  it('takes the content of a deleted message away everywhere, and keeps the row', async () => {
    const saved = await save({ content: text('my secret') });
    expect(await world.run((tx) => world.conversations.applyDelete(tx, act(saved)))).toMatchObject({ kind: 'applied' });
    const [row] = await world.db.ownerQuery('SELECT content::text, text, type FROM messages WHERE id = $1', [saved.id]);
    expect(JSON.stringify([row, await summary()])).not.toContain('secret');
    expect((await thread()).data[0]).toMatchObject({ id: saved.id, isDeleted: true, type: 'text' });
    const edited = await world.run((tx) => world.conversations.applyEdit(tx, act(saved), text('my secret')));
    expect(edited).toMatchObject({ kind: 'late' });
  });

  it('keeps the latest reaction of each side, and lets it be taken away', async () => {
    const saved = await save();
    const react = (emoji: string | null, at: Date, by: 'customer' | 'device' = 'customer') =>
      world.run((tx) => world.conversations.applyReaction(tx, act(saved, { at, by }), emoji));
    await react('👍', minutes(1));
    await react('❤️', minutes(3));
    await react('😂', minutes(2), 'device');
    expect(await react('👎', minutes(2))).toMatchObject({ kind: 'late' });
    expect((await thread()).data[0]?.reactions).toEqual({ customer: '❤️', device: '😂' });
    await react(null, minutes(4));
    expect(await react('❤️', minutes(3))).toMatchObject({ kind: 'late' });
    expect((await thread()).data[0]?.reactions).toEqual({ device: '😂' });
  });

  it('waits for a message that is not here', async () => {
    const absent = message();
    expect(await world.run((tx) => world.conversations.applyDelete(tx, act(absent)))).toEqual({ kind: 'missing' });
  });

  it('lets nobody touch another thread, or the other side’s words', async () => {
    const saved = await save();
    const ours = await save({ direction: 'out', author: 'device', status: 'sent', content: text('ours') });
    const stranger = await world.meet([{ kind: 'wa_id', value: `3463${serial()}` }]);
    const foreign = act(saved, { conversationId: stranger.conversationId });
    for (const apply of [
      () => world.run((tx) => world.conversations.applyDelete(tx, foreign)),
      () => world.run((tx) => world.conversations.applyEdit(tx, foreign, text('x'))),
      () => world.run((tx) => world.conversations.applyReaction(tx, foreign, '👎')),
      () => world.run((tx) => world.conversations.applyDelete(tx, act(ours))),
      () => world.run((tx) => world.conversations.applyDelete(tx, act(saved, { by: 'device' }))),
    ])
      expect(await apply()).toMatchObject({ kind: 'foreign' });
    expect((await thread()).data.map((one) => one.text)).toEqual(['ours', 'hola']);
  });
});

describe('reading', () => {
  it('gives the thread in pages, the latest first, history in its place', async () => {
    for (let i = 0; i < 5; i += 1) await save({ content: text(`live ${i}`) });
    await save({ content: text('long ago'), isHistory: true, occurredAt: new Date('2025-01-01T00:00:00Z') });
    const seen: string[] = [];
    let cursor: string | undefined;
    do {
      const page = await thread(2, cursor);
      seen.push(...page.data.map((one) => one.text));
      cursor = page.nextCursor ?? undefined;
    } while (cursor !== undefined);
    expect(seen).toEqual(['live 4', 'live 3', 'live 2', 'live 1', 'live 0', 'long ago']);
    expect(await summary()).toMatchObject({ unreadCount: 5, lastMessageText: 'live 4' });
  });

  it('shows the thread of a merged contact as one', async () => {
    const lid = { kind: 'lid', value: `${serial()}@lid` } as const;
    const waId = { kind: 'wa_id', value: `3464${serial()}` } as const;
    here = await world.meet([waId]);
    await save({ content: text('by number') });
    const other = await world.meet([lid]);
    await save({ content: text('by lid'), conversationId: other.conversationId, occurredAt: minutes(3) });
    await world.meet([waId, lid]);
    expect((await thread()).data.map((one) => one.text)).toEqual(['by lid', 'by number']);
    expect(await summary()).toMatchObject({ lastMessageText: 'by lid', unreadCount: 2, lastInboundAt: minutes(3) });
  });

  it('lists conversations in pages by their last message, by account, handler and search', async () => {
    const account = await world.addAccount('evolution');
    const met = [];
    for (let i = 0; i < 5; i += 1)
      met.push(
        await world.meet([{ kind: 'wa_id', value: `3465${serial()}` }], { accountId: account, profileName: `P${i}%` }),
      );
    for (const [i, one] of met.slice(0, 3).entries())
      await save({ ...one, accountId: account, occurredAt: minutes(i) });
    const list = (facts: object) =>
      world.run((tx) => world.conversations.listConversations(tx, { limit: 2, accountId: account, ...facts }));
    const seen: (string | null)[] = [];
    let cursor: string | undefined;
    do {
      const page = await list(cursor === undefined ? {} : { cursor });
      seen.push(...page.data.map((one) => one.contactName));
      cursor = page.nextCursor ?? undefined;
    } while (cursor !== undefined);
    expect(seen).toEqual(['P2%', 'P1%', 'P0%', 'P3%', 'P4%']);
    expect((await list({ search: '3%' })).data.map((one) => one.contactName)).toEqual(['P3%']);
    expect((await list({ handler: 'person' })).data).toEqual([]);
    expect((await list({ cursor: 'nonsense' })).data).toHaveLength(2);
  });

  it('marks read, and names the message to tell the provider', async () => {
    const saved = await save();
    await save({ direction: 'out', author: 'bot', status: 'sent' });
    expect(await world.run((tx) => world.conversations.markRead(tx, here.conversationId))).toBe(
      saved.providerMessageId,
    );
    expect(await summary()).toMatchObject({ unreadCount: 0 });
  });

  it('shows another workspace nothing', async () => {
    await save();
    const stranger = newId('workspace');
    await world.db.ownerQuery('INSERT INTO workspaces (workspace_id, name, slug) VALUES ($1, $2, $2)', [
      stranger,
      stranger,
    ]);
    const seen = await world.db.storage.inWorkspace(stranger, async (tx) => [
      await world.conversations.findSummary(tx, here.conversationId),
      (await world.conversations.listMessages(tx, here.conversationId, { limit: 5 })).data.length,
      (await world.conversations.listConversations(tx, { limit: 5 })).data.length,
    ]);
    expect(seen).toEqual([null, 0, 0]);
  });
});

describe('the ledger of consent', () => {
  it('takes in what a customer chose in the provider’s own settings', async () => {
    const customer = [{ kind: 'wa_id', value: `3467${serial()}` }] as const;
    const account = { accountId: world.accountId, provider: 'meta', channel: 'whatsapp' } as const;
    const event = {
      kind: 'account',
      type: 'opt',
      name: 'user_preferences',
      key: 'user_preferences:1',
      occurredAt: null,
      bindings: [],
      path: '',
      facts: {},
      opt: { customer, topic: 'marketing_messages', choice: 'out' },
    } as const;
    await world.run((tx) => world.conversations.applyOptEvent(tx, account, event, noon));
    const { contactId } = await world.meet(customer);
    const find = (topic: string) =>
      world.run((tx) => world.conversations.findConsent(tx, contactId, 'whatsapp', topic));
    expect([await find('marketing_messages'), await find('all')]).toEqual(['out', null]);
  });

  it('counts the latest choice of a topic on a channel', async () => {
    const { contactId } = here;
    const record = (choice: 'in' | 'out', topic: string, at: Date) =>
      world.run((tx) =>
        world.conversations.recordConsent(tx, { contactId, channel: 'whatsapp', topic, choice, source: 'message', at }),
      );
    const find = (topic: string) =>
      world.run((tx) => world.conversations.findConsent(tx, contactId, 'whatsapp', topic));
    expect(await find('all')).toBeNull();
    await record('out', 'all', minutes(2));
    await record('in', 'all', minutes(1));
    await record('in', 'marketing', minutes(3));
    expect([await find('all'), await find('marketing'), await find('other')]).toEqual(['out', 'in', null]);
    const conversation = await world.run((tx) => world.conversations.loadConversation(tx, here.conversationId));
    expect(conversation?.consent).toBe('out');
  });
});
