/** Contacts, identities, consent, window, messages, session state. */
export * from './conversations.ts';
export { createConversations } from './create-conversations.ts';
export { storableJson, storableText } from './storable.ts';
export { freeEntryUntilOf, type Window, type WindowFacts, windowAt } from './window.ts';
