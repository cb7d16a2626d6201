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
    providerMessageId: message.providerMessageId,
    isEdited: message.isEdited,
    isDeleted: message.isDeleted,
    isTest: message.isTest,
    occurredAt: message.occurredAt.toISOString(),
  };
}

/** A failure of ours, or the provider's errors as a receipt told them: the first of these stands for all. */
function presentError(error: unknown): MessageView['error'] {
  const told: unknown = Array.isArray(error) ? error[0] : error;
  if (typeof told !== 'object' || told === null) return null;
  const facts = told as Readonly<Record<string, unknown>>;
  const detail = [facts.title, facts.detail].map(textOf).filter(Boolean).join(': ');
  return { code: textOf(facts.code) || 'failed', detail, facts: plainFacts(facts.facts) };
}

function plainFacts(value: unknown): Record<string, string | number> {
  const entries = typeof value === 'object' && value !== null ? Object.entries(value) : [];
  return Object.fromEntries(entries.filter(([, fact]) => typeof fact === 'string' || typeof fact === 'number'));
}

function textOf(value: unknown): string {
  return typeof value === 'string' || typeof value === 'number' ? String(value) : '';
}
