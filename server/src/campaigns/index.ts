/** Audiences and campaigns; they expand to outbox rows in slices. */
export type { RecipientState } from './recipient.ts';
