import type { AccountEvent, Identity } from '@switchyard/contract';
import { assert, newId } from '#kernel';
import type { WorkspaceTx } from '#storage';
import { findConsent, recordConsent } from './consent-store.ts';
import {
  changeConversationAddress,
  changeConversations,
  findSummary,
  listConversations,
  loadConversations,
  markRead,
} from './conversation-store.ts';
import type { ConsentingAccount, Conversation, ConversationsDoor, NewMessage } from './conversations.ts';
import { currentAddress, identityKeys, identityOfAddress } from './identify.ts';
import { undoMerge } from './merge-store.ts';
import { applyDelete, applyEdit, applyReaction } from './message-acts.ts';
import { findMessage, listMessages, saveMessages } from './message-store.ts';
import { resolveContact, resolveConversation } from './resolve.ts';
import { resolveConversations, resolveWanted } from './resolve-many.ts';

export function createConversations(): ConversationsDoor {
  return {
    resolveConversation,
    resolveConversations,
    resolveWanted,
    changeAddress,
    undoMerge,
    loadConversation: async (tx, id) => (await loadConversations(tx, [id])).get(id) ?? null,
    loadConversations,
    changeConversation: (tx, id, change) => changeConversations(tx, [{ id, change }]),
    changeConversations,
    insertMessage,
    saveMessages,
    applyEdit,
    applyDelete,
    applyReaction,
    recordConsent: (tx, consent) => recordConsent(tx, newConsentId(), consent),
    applyOptEvent,
    findConsent,
    listConversations,
    findSummary,
    listMessages,
    findMessage,
    markRead,
  };
}

async function insertMessage(tx: WorkspaceTx, message: NewMessage): Promise<boolean> {
  const isNew = (await saveMessages(tx, [message])).size > 0;
  if (isNew) await changeConversations(tx, [{ id: message.conversationId, change: { saved: message } }]);
  return isNew;
}

/** A uuid of version 7 like all others; consents have no public form, so it has no name in the contract. */
function newConsentId(): string {
  return newId('event');
}

async function applyOptEvent(
  tx: WorkspaceTx,
  { accountId, provider, channel }: ConsentingAccount,
  event: AccountEvent,
  at: Date,
): Promise<void> {
  if (event.opt === undefined) return;
  const { customer, topic, choice } = event.opt;
  const { contactId } = await resolveConversation(tx, { accountId, provider, customer });
  const consent = { contactId, channel, topic, choice, source: 'provider', evidence: event.key, at };
  await recordConsent(tx, newConsentId(), consent);
}

/** Old and new address in one correspondent: whoever holds the new one is proved to be the same person. */
async function changeAddress(tx: WorkspaceTx, conversation: Conversation, newAddress: string): Promise<void> {
  const added: Identity = identityOfAddress(newAddress);
  const customer = [...conversation.address, added];
  const keys = identityKeys(conversation.accountId, customer);
  const correspondent = { accountId: conversation.accountId, provider: 'meta', customer } as const;
  const maxRounds = 5;
  for (let round = 0; round < maxRounds; round += 1) {
    if ((await resolveContact(tx, correspondent, keys)) === null) continue;
    return changeConversationAddress(tx, conversation.id, currentAddress(conversation.address, [added]));
  }
  assert(false, 'a new address is taken in within a few rounds');
}
