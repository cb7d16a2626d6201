/** Statuses, edits, deletes and reactions that come before their message wait for it. */
import type { MessageId, OutboundId } from '@switchyard/contract';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { releaseParked } from '#inbox';
import type { WorkspaceTx } from '#storage';
import { parkedLimits } from '../../src/inbox/parked.ts';
import { body, delivery, type InboxWorld, openInboxWorld, type Shop, status, text, value } from './world.ts';

let world: InboxWorld;
beforeAll(async () => {
  world = await openInboxWorld();
  world.worker({ parts: { middleware: [] } });
});
afterAll(() => world.close());

async function receive(shop: Shop, parts: Record<string, unknown>) {
  const sent = delivery(shop, body(shop, value(shop, parts)));
  await world.receiver().receive(sent);
  await world.settled();
  return sent.id;
}

const eventsOf = (shop: Shop) =>
  world.db.ownerQuery<{ key: string; state: string; reason: string | null }>(
    'SELECT key, state, reason FROM events WHERE workspace_id = $1 ORDER BY id',
    [shop.workspaceId],
  );

/** A message of ours in the shop's only conversation, sent but its provider id not recorded yet. */
async function sendOne(shop: Shop): Promise<{ outboundId: OutboundId; messageId: MessageId }> {
  await receive(shop, { messages: [text({ text: 'first' })] });
  return world.db.storage.inWorkspace(shop.workspaceId, async (tx) => {
    const [row] = await tx.query<{ id: never }>('SELECT id FROM conversations');
    return world.outbox.queueMessage(tx, {
      conversationId: row?.id as never,
      accountId: shop.accountId,
      content: { type: 'text', text: 'ours' },
      author: 'bot',
    });
  });
}

/** What the dispatcher does when the provider's answer is recorded; `tell` calls those who wait. */
async function learnId(shop: Shop, sent: { outboundId: OutboundId; messageId: MessageId }, id: string, tell = true) {
  await world.db.storage.inWorkspace(shop.workspaceId, async (tx: WorkspaceTx) => {
    await tx.query(`UPDATE messages SET provider_message_id = $2, status = 'sent' WHERE id = $1`, [sent.messageId, id]);
    await tx.query(`UPDATE outbox SET provider_message_id = $2, state = 'sent' WHERE id = $1`, [sent.outboundId, id]);
    if (tell)
      await releaseParked(tx, world.outbox.applyReceipt, [{ accountId: shop.accountId, providerMessageId: id }]);
  });
}

async function statusOf(messageId: MessageId) {
  const [row] = await world.db.ownerQuery<{ status: string }>('SELECT status FROM messages WHERE id = $1', [messageId]);
  return row?.status;
}

describe('a status', () => {
  it('that comes before our send is recorded waits, and takes effect with it', async () => {
    const shop = await world.shop();
    const sent = await sendOne(shop);
    await receive(shop, { statuses: [status('wamid.early', 'delivered')] });
    expect((await eventsOf(shop)).at(-1)).toMatchObject({ state: 'parked' });
    expect(await statusOf(sent.messageId)).toBe('queued');
    await learnId(shop, sent, 'wamid.early');
    expect(await statusOf(sent.messageId)).toBe('delivered');
    expect((await eventsOf(shop)).at(-1)).toMatchObject({ state: 'handled', reason: 'waited for its message' });
  });

  it('never moves a message backwards: read, then delivered, both before the send', async () => {
    const shop = await world.shop();
    const sent = await sendOne(shop);
    await receive(shop, { statuses: [status('wamid.read', 'read'), status('wamid.read', 'delivered')] });
    await learnId(shop, sent, 'wamid.read');
    await receive(shop, { statuses: [status('wamid.read', 'sent')] });
    expect(await statusOf(sent.messageId)).toBe('read');
    expect(new Set((await eventsOf(shop)).map(({ state }) => state))).toEqual(new Set(['handled']));
  });

  it('that passed its message on the way is found by the sweep', async () => {
    const shop = await world.shop();
    const sent = await sendOne(shop);
    await receive(shop, { statuses: [status('wamid.passed', 'delivered')] });
    await learnId(shop, sent, 'wamid.passed', false);
    await world.eventually(async () => (await statusOf(sent.messageId)) === 'delivered');
  });

  it('of a message that never comes ends after eight days, with the reason', async () => {
    const shop = await world.shop();
    await receive(shop, { statuses: [status('wamid.never', 'delivered'), status('wamid.never2', 'delivered')] });
    await world.db.ownerQuery(
      `UPDATE events SET created_at = now() - interval '8 days 1 minute' WHERE workspace_id = $1 AND wait_key = 'wamid.never'`,
      [shop.workspaceId],
    );
    await world.eventually(async () => (await eventsOf(shop)).some(({ state }) => state === 'ignored'));
    expect(await eventsOf(shop)).toMatchObject([
      { key: 'wamid.never:delivered', state: 'ignored', reason: 'its message never came' },
      { key: 'wamid.never2:delivered', state: 'parked' },
    ]);
  });
});

describe('a receipt', () => {
  it('of a message that the customer wrote ends at the first look', async () => {
    const shop = await world.shop();
    await receive(shop, { messages: [text({ id: 'wamid.theirs' })], statuses: [status('wamid.theirs', 'read')] });
    await world.eventually(async () => (await eventsOf(shop)).every(({ state }) => state !== 'parked'));
    expect(await eventsOf(shop)).toMatchObject([
      { state: 'handled' },
      { key: 'wamid.theirs:read', state: 'ignored', reason: 'a receipt of a message from the customer' },
    ]);
  });
});

describe('a reaction', () => {
  const reaction = (targetId: string) => ({
    from: '34600000001',
    id: `wamid.reaction-to-${targetId}`,
    timestamp: '1760000000',
    type: 'reaction',
    reaction: { message_id: targetId, emoji: '👍' },
  });

  it('before its message waits, and is applied when the message is handled', async () => {
    const shop = await world.shop();
    await receive(shop, { messages: [reaction('wamid.target')] });
    expect(await eventsOf(shop)).toMatchObject([{ state: 'parked' }]);
    await receive(shop, { messages: [text({ id: 'wamid.target' })] });
    expect((await eventsOf(shop)).map(({ state }) => state)).toEqual(['handled', 'handled']);
    const [target] = await world.db.ownerQuery('SELECT reactions FROM messages WHERE workspace_id = $1', [
      shop.workspaceId,
    ]);
    expect(JSON.stringify(target)).toContain('👍');
  });

  it('to a message of ours waits until the outbox knows its id', async () => {
    const shop = await world.shop();
    const sent = await sendOne(shop);
    await receive(shop, { messages: [reaction('wamid.ours')] });
    expect((await eventsOf(shop)).at(-1)).toMatchObject({ state: 'parked' });
    await learnId(shop, sent, 'wamid.ours');
    await world.eventually(async () => (await eventsOf(shop)).every(({ state }) => state === 'handled'));
    const [ours] = await world.db.ownerQuery('SELECT reactions FROM messages WHERE id = $1', [sent.messageId]);
    expect(JSON.stringify(ours)).toContain('👍');
  });

  it('to what only looks like a message of ours is not looked at for ever', async () => {
    const shop = await world.shop();
    const ours = await sendOne(shop);
    await learnId(shop, ours, 'wamid.known');
    await receive(shop, { statuses: [status('wamid.unknown', 'read')] });
    await world.db.ownerQuery(
      `UPDATE events SET wait_key = 'wamid.known' WHERE workspace_id = $1 AND state = 'parked'`,
      [shop.workspaceId],
    );
    const looks = async () => {
      const [row] = await world.db.ownerQuery<{ attempts: number }>(
        `SELECT attempts FROM events WHERE workspace_id = $1 AND key = 'wamid.unknown:read'`,
        [shop.workspaceId],
      );
      return row?.attempts;
    };
    await world.eventually(async () => (await looks()) === parkedLimits.maxLooks);
    // One more sweep: it finds what really passed, and leaves the other alone.
    const sent = await sendOne(shop);
    await receive(shop, { statuses: [status('wamid.later', 'delivered')] });
    await learnId(shop, sent, 'wamid.later', false);
    await world.eventually(async () => (await statusOf(sent.messageId)) === 'delivered');
    expect(await looks()).toBe(parkedLimits.maxLooks);
  });
});
