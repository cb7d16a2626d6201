/**
 * A reminder's states. `scheduled` until its instant; then exactly one of `queued` (its message is in the outbox),
 * `skipped` (the reason is kept: opted out, window closed without a template, too late) or `cancelled` by whoever made it.
 */
export type ReminderState =
  | { readonly kind: 'scheduled'; readonly dueAt: string; readonly timeZone: string }
  | { readonly kind: 'queued'; readonly outboundId: string }
  | { readonly kind: 'skipped'; readonly reason: string }
  | { readonly kind: 'cancelled'; readonly by: string };
