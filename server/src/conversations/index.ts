/** Contacts, identities, consent, window, messages, session state. */
export * from './conversations.ts';
