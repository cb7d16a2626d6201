/**
 * The second level of a cache, shared by all processes; only what has a codec goes there.
 *
 * A value may only be put there under the ticket that its look-up was given, and `drop` voids all tickets: what was
 * loaded before an invalidation can not overwrite it, in whichever process that load ran.
 */
export interface SharedLevel {
  look(key: string): Promise<SharedLook>;
  /** Keeps the value if nothing was dropped since the ticket was given. */
  put(key: string, ticket: string, value: string, ttlMs: number): Promise<void>;
  /** Commands keep their order: a `look` called after this sees its effect. Never rejects. */
  drop(key: string): Promise<void>;
}

export type SharedLook =
  | { readonly kind: 'found'; readonly value: string; readonly remainingMs: number }
  | { readonly kind: 'absent'; readonly ticket: string }
  /** The level could not be asked: the caller loads, and keeps the result to itself. */
  | { readonly kind: 'away' };
