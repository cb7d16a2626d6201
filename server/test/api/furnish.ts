import {
  type AccountId,
  type ConversationId,
  type IdByName,
  type MessageId,
  toPublicId,
  type WorkspaceId,
} from '@switchyard/contract';
import { newId } from '#kernel';
import type { World } from './world.ts';

/** One of everything in a workspace, by public id. Each thing carries `mark` in whatever text it has. */
export interface Furnished {
  readonly workspaceId: WorkspaceId;
  readonly mark: string;
  readonly ids: Readonly<Record<Kind, string>>;
  readonly accountId: AccountId;
  readonly conversationId: ConversationId;
  readonly messageId: MessageId;
}

export const kinds = [
  'account',
  'apiKey',
  'delivery',
  'conversation',
  'message',
  'category',
  'product',
  'flow',
  'person',
  'session',
  'invitation',
  'alarmTarget',
  'contact',
  'erasure',
] as const;
export type Kind = (typeof kinds)[number];

export async function furnish(world: World, mark: string): Promise<Furnished> {
  const workspaceId = await world.addWorkspace(mark);
  const account = await world.addAccount(workspaceId);
  const people = await furnishPeople(world, workspaceId, mark);
  const key = await world.workspaces.createApiKey(workspaceId, { name: mark, scopes: ['read'] });
  if (!key.ok) throw new Error(key.refusal.code);
  const deliveryId = await insertDelivery(world, workspaceId, account.id, mark);
  const { conversationId, messageId, contactId } = await converse(world, workspaceId, account.id, mark);
  const erasureId = await eraseAnother(world, workspaceId);
  const shop = await insertShop(world, workspaceId, mark);
  const ids: { [K in Kind]: IdByName[K] } = {
    account: account.id,
    apiKey: key.value.key.id,
    delivery: deliveryId,
    conversation: conversationId,
    message: messageId,
    alarmTarget: await insertAlarm(world, workspaceId, mark),
    contact: contactId,
    erasure: erasureId,
    ...shop,
    ...people,
  };
  const publicIds = Object.fromEntries(kinds.map((kind) => [kind, toPublicId(kind, ids[kind])])) as Record<
    Kind,
    string
  >;
  return { workspaceId, mark, ids: publicIds, accountId: account.id, conversationId, messageId };
}

/** An owner who is logged in, and has invited somebody. */
async function furnishPeople(world: World, workspaceId: WorkspaceId, mark: string) {
  const owner = await world.addPerson(workspaceId, 'owner');
  await owner.logIn();
  const [session] = await world.people.listSessions(owner.id);
  const email = `${mark}@example.com`;
  const by = { actor: 'test', role: 'owner' } as const;
  const made = await world.people.invitations.create(workspaceId, { email, role: 'agent' }, by);
  if (!made.ok || !session) throw new Error('the workspace could not be furnished with people');
  return { person: owner.id, session: session.id, invitation: made.value.invitation.id };
}

async function insertDelivery(world: World, workspaceId: WorkspaceId, accountId: AccountId, mark: string) {
  const id = newId('delivery');
  await world.db.ownerQuery(
    `INSERT INTO deliveries (workspace_id, id, account_id, provider, route_kind, method, target, headers, body,
                             is_authenticated, is_test, received_at)
     VALUES ($1, $2, $3, 'meta', 'token', 'POST', '/webhooks/meta/whatsapp/x', '{}', $4, true, false, now())`,
    [workspaceId, id, accountId, Buffer.from(mark)],
  );
  await world.db.ownerQuery(
    `INSERT INTO inbox (workspace_id, id, shard, position, after_position, state)
     VALUES ($1, $2, 0, nextval('inbox_position'), 0, 'normalised')`,
    [workspaceId, id],
  );
  return id;
}

/** The customer has written just now, and one answer of ours is queued. */
async function converse(world: World, workspaceId: WorkspaceId, accountId: AccountId, mark: string) {
  return world.db.storage.inWorkspace(workspaceId, async (tx) => {
    const { conversationId, contactId } = await world.conversations.resolveConversation(tx, {
      accountId,
      provider: 'meta',
      customer: [
        {
          kind: 'phone',
          value: `+3460${String(Math.abs(hash(mark)))
            .padStart(7, '0')
            .slice(0, 7)}`,
        },
      ],
      profileName: mark,
    });
    await world.conversations.insertMessage(tx, {
      id: newId('message'),
      conversationId,
      accountId,
      direction: 'in',
      author: 'customer',
      content: { type: 'text', text: mark },
      providerMessageId: `wamid.${mark}`,
      status: 'received',
      occurredAt: new Date(),
    });
    const content = { type: 'text', text: `${mark} answered` } as const;
    const { messageId } = await world.outbox.queueMessage(tx, { conversationId, accountId, content, author: 'bot' });
    return { conversationId, messageId, contactId };
  });
}

/** Somebody who is told, and an incident. */
async function insertAlarm(world: World, workspaceId: WorkspaceId, mark: string) {
  const [target, incident] = [newId('alarmTarget'), newId('incident')];
  await world.db.ownerQuery(
    `INSERT INTO alarm_targets (workspace_id, id, kind, address) VALUES ($1, $2, 'email', $3)`,
    [workspaceId, target, `${mark}@example.com`],
  );
  await world.db.ownerQuery(
    `INSERT INTO incidents (workspace_id, id, kind, subject, facts, opened_at, last_seen_at)
     VALUES ($1, $2, 'balance', $3, json_build_object('stages', $3::text), now(), now())`,
    [workspaceId, incident, mark],
  );
  return target;
}

/** Somebody who has never written, and is erased. */
async function eraseAnother(world: World, workspaceId: WorkspaceId) {
  const contactId = newId('contact');
  await world.db.ownerQuery('INSERT INTO contacts (workspace_id, id) VALUES ($1, $2)', [workspaceId, contactId]);
  const erasure = await world.privacy.eraseContact(workspaceId, contactId, 'test');
  if (!erasure) throw new Error('nobody was erased');
  return erasure.id;
}

function hash(text: string): number {
  return [...text].reduce((sum, letter) => (sum * 31 + letter.charCodeAt(0)) | 0, 7);
}

async function insertShop(world: World, workspaceId: WorkspaceId, mark: string) {
  const ids = { category: newId('category'), product: newId('product'), flow: newId('flow') };
  await world.db.ownerQuery('INSERT INTO categories (workspace_id, id, name, sort_order) VALUES ($1, $2, $3, 0)', [
    workspaceId,
    ids.category,
    mark,
  ]);
  await world.db.ownerQuery(
    `INSERT INTO products (workspace_id, id, category_id, name, description, price_minor, currency, sort_order)
     VALUES ($1, $2, $3, $4, $4, 100, 'EUR', 0)`,
    [workspaceId, ids.product, ids.category, mark],
  );
  await world.db.ownerQuery(
    'INSERT INTO flows (workspace_id, id, name, version, definition) VALUES ($1, $2, $3, 1, $4)',
    [workspaceId, ids.flow, mark, '{}'],
  );
  return ids;
}
