import { type ConversationView, type Identity, type MessageView, toPublicId } from '@switchyard/contract';
import { type ConversationSummary, type StoredMessage, windowAt } from '#conversations';

export function presentConversation(
  summary: ConversationSummary,
  windowHours: number | null,
  now: Date,
): ConversationView {
  const window = windowAt(summary, windowHours, now);
  return {
    id: toPublicId('conversation', summary.id),
    accountId: toPublicId('account', summary.accountId),
    accountName: summary.accountName,
    provider: summary.provider,
    contact: {
      id: toPublicId('contact', summary.contactId),
      name: summary.contactName,
      address: summary.groupId ?? shownAddress(summary.address),
    },
    handler: summary.handler,
    windowClosesAt: window.kind === 'open' ? (window.until?.toISOString() ?? null) : null,
    isWindowOpen: window.kind === 'open',
    lastMessageAt: summary.lastMessageAt?.toISOString() ?? null,
    lastMessageText: summary.lastMessageText,
    unread: summary.unreadCount,
  };
}

/** A number where there is one; a LID or a business-scoped id is never shown as if it were a phone. */
function shownAddress(address: readonly Identity[]): string | null {
  for (const kind of ['phone', 'username', 'wa_id', 'instagram', 'bsuid', 'lid'] as const) {
    const found = address.find((identity) => identity.kind === kind);
    if (found) return kind === 'phone' || kind === 'username' ? found.value : `${kind} ${found.value}`;
  }
  return null;
}

export function presentMessage(message: StoredMessage): MessageView {
  return {
    id: toPublicId('message', message.id),
    conversationId: toPublicId('conversation', message.conversationId),
    direction: message.direction,
    author: message.author,
    type: message.type,
    content: message.content,
    text: message.text,
    status: message.status,
    error: presentError(message.error),
    reactions: { ...message.reactions },
    replyTo: message.replyTo,
    isEdited: message.isEdited,
    isDeleted: message.isDeleted,
    isTest: message.isTest,
    occurredAt: message.occurredAt.toISOString(),
  };
}

function presentError(error: unknown): MessageView['error'] {
  if (typeof error !== 'object' || error === null) return null;
  const { code, detail, title } = error as {
    readonly code?: unknown;
    readonly detail?: unknown;
    readonly title?: unknown;
  };
  return { code: String(code ?? 'failed'), detail: String(detail ?? title ?? '') };
}
