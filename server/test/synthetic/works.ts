/**
 * Four small works of the kinds that the product has no rooms for yet, done as those rooms will have to: with its jobs,
 * transactions, outbox, lanes and pressure. None of their tables keeps a double out by itself but the order's key.
 */
import type { AccountId, ConversationId, WorkspaceId } from '@switchyard/contract';
import type { PressureWatch } from '#monitoring';
import type { Outbox } from '#outbox';
import type { Storage, WorkspaceTx } from '#storage';

export const kinds = ['order', 'reminder', 'campaign', 'copy'] as const;
export type Kind = (typeof kinds)[number];

/** Where a process may be struck, in the order of each work. */
export const places = [
  'order.written',
  'order.committed',
  'reminder.queued',
  'reminder.committed',
  'campaign.queued',
  'campaign.committed',
  'copy.written',
  'copy.committed',
] as const;
export type Place = (typeof places)[number];

export interface Blow {
  readonly place: Place;
  readonly pass: number;
  readonly how: 'SIGKILL' | 'SIGSTOP';
}

export interface Workshop {
  readonly storage: Pick<Storage, 'inWorkspace'>;
  readonly outbox: Outbox;
  readonly pressure: Pick<PressureWatch, 'mayGoOn'>;
  readonly workspaceId: WorkspaceId;
  readonly accountId: AccountId;
  strike(place: Place): void;
}

const slice = 3;

export const tables = `
  CREATE TABLE synthetic_orders (workspace_id uuid, key text, number integer, PRIMARY KEY (workspace_id, key));
  CREATE TABLE synthetic_numbers (workspace_id uuid PRIMARY KEY, last integer NOT NULL);
  CREATE TABLE synthetic_reminders (workspace_id uuid, name text, conversation_id uuid, due_at timestamptz, state text NOT NULL
    DEFAULT 'scheduled', UNIQUE (workspace_id, conversation_id, due_at));
  CREATE TABLE synthetic_recipients (workspace_id uuid, place integer, conversation_id uuid);
  CREATE TABLE synthetic_source (workspace_id uuid, key integer, value text);
  CREATE TABLE synthetic_target (workspace_id uuid, key integer, value text);
  CREATE TABLE synthetic_checkpoints (workspace_id uuid, work text, after_key integer NOT NULL DEFAULT 0);
  GRANT ALL ON synthetic_orders, synthetic_numbers, synthetic_reminders, synthetic_recipients, synthetic_source,
    synthetic_target, synthetic_checkpoints TO switchyard_app`;

/** The order, its number and its confirmation, or none of them; a key that was taken before is not taken again. */
export async function takeOrder(shop: Workshop, key: string, conversationId: ConversationId): Promise<void> {
  await shop.storage.inWorkspace(shop.workspaceId, async (tx) => {
    const taken = await tx.query(
      'INSERT INTO synthetic_orders (workspace_id, key) VALUES ($1, $2) ON CONFLICT DO NOTHING RETURNING key',
      [tx.workspaceId, key],
    );
    if (taken.length === 0) return;
    const [order] = await tx.query<{ number: number }>(
      `WITH next AS (UPDATE synthetic_numbers SET last = last + 1 WHERE workspace_id = $1 RETURNING last)
       UPDATE synthetic_orders SET number = next.last FROM next WHERE workspace_id = $1 AND key = $2 RETURNING number`,
      [tx.workspaceId, key],
    );
    const content = { type: 'text', text: `order ${key} is number ${order!.number}` } as const;
    await shop.outbox.queueMessage(tx, { conversationId, accountId: shop.accountId, content, author: 'bot' });
    shop.strike('order.written');
  });
  shop.strike('order.committed');
}

/** Some of those that are due; false: none is. Several schedulers may be at it. */
export async function sendReminders(shop: Workshop): Promise<boolean> {
  const sent = await shop.storage.inWorkspace(shop.workspaceId, async (tx) => {
    const due = await tx.query<Recipient>(
      `SELECT name, conversation_id AS "conversationId" FROM synthetic_reminders
        WHERE workspace_id = $1 AND state = 'scheduled' AND due_at <= now()
        ORDER BY due_at, name LIMIT $2 FOR UPDATE SKIP LOCKED`,
      [tx.workspaceId, slice],
    );
    await queueFor(shop, tx, 'reminder', due);
    shop.strike('reminder.queued');
    await tx.query(`UPDATE synthetic_reminders SET state = 'queued' WHERE workspace_id = $1 AND name = ANY($2)`, [
      tx.workspaceId,
      due.map(({ name }) => name),
    ]);
    return due.length > 0;
  });
  if (sent) shop.strike('reminder.committed');
  return sent;
}

/** To the last recipient, unless the signal comes first; from where whoever was at it before has come to. */
export async function planCampaign(shop: Workshop, signal: AbortSignal): Promise<void> {
  while (await shop.pressure.mayGoOn('campaign', signal)) {
    const isMore = await inSlices(shop, 'campaign', async (tx, after) => {
      const next = await tx.query<Recipient & { readonly key: number }>(
        `SELECT place AS key, 'campaign to ' || place AS name, conversation_id AS "conversationId" FROM synthetic_recipients
          WHERE workspace_id = $1 AND place > $2 ORDER BY place LIMIT $3`,
        [tx.workspaceId, after, slice],
      );
      await queueFor(shop, tx, 'campaign', next);
      shop.strike('campaign.queued');
      return next.at(-1)?.key;
    });
    if (!isMore) return;
    shop.strike('campaign.committed');
  }
}

export async function copyRows(shop: Workshop, signal: AbortSignal): Promise<void> {
  while (await shop.pressure.mayGoOn('migration-copy', signal)) {
    const isMore = await inSlices(shop, 'copy', async (tx, after) => {
      const copied = await tx.query<{ key: number }>(
        `WITH copied AS (
           INSERT INTO synthetic_target SELECT * FROM synthetic_source WHERE workspace_id = $1 AND key > $2 ORDER BY key LIMIT $3
           RETURNING key)
         SELECT key FROM copied ORDER BY key`,
        [tx.workspaceId, after, slice],
      );
      shop.strike('copy.written');
      return copied.at(-1)?.key;
    });
    if (!isMore) return;
    shop.strike('copy.committed');
  }
}

interface Recipient extends Record<string, unknown> {
  readonly name: string;
  readonly conversationId: ConversationId;
}

async function queueFor(
  { outbox, accountId }: Workshop,
  tx: WorkspaceTx,
  author: 'reminder' | 'campaign',
  recipients: readonly Recipient[],
): Promise<void> {
  const messages = recipients.map(({ name, conversationId }) => {
    const content = { type: 'text', text: name } as const;
    return { conversationId, accountId, content, author };
  });
  await outbox.queueMessages(tx, messages);
}

/** What is done and how far it has come are one commit. */
function inSlices(
  { storage, workspaceId }: Workshop,
  work: 'campaign' | 'copy',
  take: (tx: WorkspaceTx, after: number) => Promise<number | undefined>,
): Promise<boolean> {
  return storage.inWorkspace(workspaceId, async (tx) => {
    const [checkpoint] = await tx.query<{ after: number }>(
      `SELECT after_key AS after FROM synthetic_checkpoints WHERE workspace_id = $1 AND work = $2 FOR UPDATE`,
      [tx.workspaceId, work],
    );
    const last = await take(tx, checkpoint!.after);
    if (last === undefined) return false;
    await tx.query('UPDATE synthetic_checkpoints SET after_key = $3 WHERE workspace_id = $1 AND work = $2', [
      ...[tx.workspaceId, work],
      last,
    ]);
    return true;
  });
}
