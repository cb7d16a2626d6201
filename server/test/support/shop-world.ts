import type { AccountId, ContactId, ConversationId, Identity, Provider, WorkspaceId } from '@switchyard/contract';
import { type ConversationsDoor, createConversations } from '#conversations';
import { newId } from '#kernel';
import type { WorkspaceTx } from '#storage';
import { type TestDatabase, testDatabase } from './database.ts';

/** A workspace with one account in a database of its own, and the rooms' real doors. */
export interface ShopWorld {
  readonly db: TestDatabase;
  readonly workspaceId: WorkspaceId;
  readonly accountId: AccountId;
  readonly conversations: ConversationsDoor;
  addAccount(provider?: Provider): Promise<AccountId>;
  /** In one committed transaction. */
  run<T>(work: (tx: WorkspaceTx) => Promise<T>): Promise<T>;
  meet(customer: readonly Identity[], facts?: MeetingFacts): Promise<Meeting>;
  close(): Promise<void>;
}

export interface MeetingFacts {
  readonly accountId?: AccountId;
  readonly profileName?: string;
  readonly groupId?: string;
}

export interface Meeting {
  readonly conversationId: ConversationId;
  readonly contactId: ContactId;
}

export async function openShopWorld(): Promise<ShopWorld> {
  const db = await testDatabase();
  const conversations = createConversations();
  const workspaceId = newId('workspace');
  await db.ownerQuery('INSERT INTO workspaces (workspace_id, name, slug) VALUES ($1, $2, $3)', [
    workspaceId,
    'Norte',
    workspaceId,
  ]);
  const addAccount = (provider: Provider = 'meta') => insertAccount(db, workspaceId, provider);
  const accountId = await addAccount();
  return {
    db,
    workspaceId,
    accountId,
    conversations,
    addAccount,
    run: (work) => db.storage.inWorkspace(workspaceId, work),
    meet: (customer, facts = {}) =>
      db.storage.inWorkspace(workspaceId, (tx) =>
        conversations.resolveConversation(tx, { accountId, provider: 'meta', customer, ...facts }),
      ),
    close: () => db.close(),
  };
}

async function insertAccount(db: TestDatabase, workspaceId: WorkspaceId, provider: Provider): Promise<AccountId> {
  const id = newId('account');
  await db.ownerQuery(
    `INSERT INTO accounts (workspace_id, id, channel, provider, name, is_active) VALUES ($1, $2, $3, $4, 'Norte', true)`,
    [workspaceId, id, provider === 'instagram' ? 'instagram' : 'whatsapp', provider],
  );
  return id;
}
