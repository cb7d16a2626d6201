import type {
  AccountId,
  AttemptId,
  ContactId,
  ConversationId,
  OutboundContent,
  OutboundId,
  StatusEvent,
  WorkspaceId,
} from '@switchyard/contract';
import { newId, silentLog } from '#kernel';
import { createOutbox, type KnownProviderId, type Outbox, type QueuedMessage } from '#outbox';
import type { Doorbell } from '#storage';
import { type TestDatabase, testDatabase } from '../support/database.ts';

/** One database with the outbox's door; `known` is what was said to be a provider's id. */
export interface World {
  readonly db: TestDatabase;
  readonly outbox: Outbox;
  readonly rings: string[];
  readonly known: KnownProviderId[];
  addWorkspace(): Promise<WorkspaceId>;
  addAccount(workspaceId: WorkspaceId, provider?: string): Promise<AccountId>;
  addConversation(place: Place, facts?: { readonly hoursSinceInbound?: number | null }): Promise<ConversationId>;
  queue(conversation: Conversation, message?: Partial<QueuedMessage>): Promise<OutboundId>;
  row(outboundId: OutboundId): Promise<OutboxRow>;
  close(): Promise<void>;
}

export interface Place {
  readonly workspaceId: WorkspaceId;
  readonly accountId: AccountId;
}

export interface Conversation extends Place {
  readonly conversationId: ConversationId;
}

export interface OutboxRow extends Record<string, unknown> {
  readonly state: string;
  readonly ordinal: string;
  readonly attempts: number;
  readonly attemptId: AttemptId | null;
  readonly providerMessageId: string | null;
  readonly failure: { readonly code: string } | null;
  readonly isPossibleDuplicate: boolean;
  readonly leaseEpoch: string;
  readonly dueInMs: number;
  readonly messageId: string;
  readonly messageStatus: string;
  readonly messageProviderId: string | null;
}

export async function openWorld(): Promise<World> {
  const db = await testDatabase();
  const rings: string[] = [];
  const known: KnownProviderId[] = [];
  const outbox = createOutbox({
    doorbell: listeningDoorbell(rings),
    providerIdsKnown: async (_tx, ids) => {
      known.push(...ids);
    },
    noteChange: () => {},
    log: silentLog,
  });
  return {
    db,
    outbox,
    rings,
    known,
    addWorkspace: () => addWorkspace(db),
    addAccount: (workspaceId, provider = 'meta') => addAccount(db, workspaceId, provider),
    addConversation: (place, facts = {}) => addConversation(db, place, facts.hoursSinceInbound),
    queue: (conversation, message) => queue(db, outbox, conversation, message),
    row: (outboundId) => readRow(db, outboundId),
    close: () => db.close(),
  };
}

/** The whole place at once: a workspace with one account and one open conversation. */
export async function addPlace(world: World, provider?: string): Promise<Conversation> {
  const workspaceId = await world.addWorkspace();
  const accountId = await world.addAccount(workspaceId, provider);
  const conversationId = await world.addConversation({ workspaceId, accountId });
  return { workspaceId, accountId, conversationId };
}

export function statusEvent(
  facts: Partial<StatusEvent> & Pick<StatusEvent, 'type' | 'providerMessageId'>,
): StatusEvent {
  return {
    kind: 'status',
    key: `${facts.providerMessageId}:${facts.type}`,
    occurredAt: '2026-03-01T10:00:00.000Z',
    bindings: [],
    path: '',
    customer: [],
    errors: [],
    ...facts,
  };
}

export function text(body: string): OutboundContent {
  return { type: 'text', text: body };
}

async function addWorkspace(db: TestDatabase): Promise<WorkspaceId> {
  const id = newId('workspace');
  await db.ownerQuery('INSERT INTO workspaces (workspace_id, name, slug) VALUES ($1, $2, $3)', [id, 'Shop', id]);
  return id;
}

async function addAccount(db: TestDatabase, workspaceId: WorkspaceId, provider: string): Promise<AccountId> {
  const id = newId('account');
  const channel = provider === 'instagram' ? 'instagram' : 'whatsapp';
  await db.ownerQuery(
    `INSERT INTO accounts (workspace_id, id, channel, provider, name, is_active) VALUES ($1, $2, $3, $4, 'Desk', true)`,
    [workspaceId, id, channel, provider],
  );
  return id;
}

async function addConversation(
  db: TestDatabase,
  place: Place,
  hoursSinceInbound: number | null = 0,
): Promise<ConversationId> {
  const contactId: ContactId = newId('contact');
  const id = newId('conversation');
  await db.ownerQuery('INSERT INTO contacts (workspace_id, id) VALUES ($1, $2)', [place.workspaceId, contactId]);
  await db.ownerQuery(
    `INSERT INTO conversations (workspace_id, id, account_id, contact_id, address, last_inbound_at)
       VALUES ($1, $2, $3, $4, $5, now() - $6::float8 * interval '1 hour')`,
    [
      place.workspaceId,
      id,
      place.accountId,
      contactId,
      JSON.stringify([{ kind: 'phone', value: '+34600000001' }]),
      hoursSinceInbound,
    ],
  );
  return id;
}

async function queue(
  db: TestDatabase,
  outbox: Outbox,
  conversation: Conversation,
  message: Partial<QueuedMessage> = {},
): Promise<OutboundId> {
  const { conversationId, accountId } = conversation;
  const whole: QueuedMessage = { conversationId, accountId, content: text('hello'), author: 'bot', ...message };
  const queued = await db.storage.inWorkspace(conversation.workspaceId, (tx) => outbox.queueMessage(tx, whole));
  return queued.outboundId;
}

async function readRow(db: TestDatabase, outboundId: OutboundId): Promise<OutboxRow> {
  const rows = await db.ownerQuery<OutboxRow>(
    `SELECT o.state, o.ordinal, o.attempts, o.attempt_id AS "attemptId", o.provider_message_id AS "providerMessageId",
            o.failure, o.is_possible_duplicate AS "isPossibleDuplicate", o.lease_epoch AS "leaseEpoch",
            (extract(epoch FROM o.due_at - now()) * 1000)::float8 AS "dueInMs", m.id AS "messageId",
            m.status AS "messageStatus", m.provider_message_id AS "messageProviderId"
       FROM outbox o JOIN messages m ON m.workspace_id = o.workspace_id AND m.id = o.message_id WHERE o.id = $1`,
    [outboundId],
  );
  return rows[0]!;
}

/** The doorbell's port, with what was rung kept for the test; nobody of another process listens here. */
function listeningDoorbell(rings: string[]): Doorbell {
  return {
    async ring(topic) {
      rings.push(topic);
    },
    listen: async () => async () => {},
    onGap: () => () => {},
    close: async () => {},
  };
}
