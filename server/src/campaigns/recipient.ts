/**
 * One recipient of a campaign. Unique in it, so that a campaign started twice reaches nobody twice: `planned`, then
 * exactly one of `queued`, `skipped` with its reason, or `cancelled`. Planned = queued + skipped + cancelled when it ends.
 */
export type RecipientState =
  | { readonly kind: 'planned' }
  | { readonly kind: 'queued'; readonly outboundId: string }
  | { readonly kind: 'skipped'; readonly reason: string }
  | { readonly kind: 'cancelled' };
