/**
 * When the same act may be tried again. `at` is an instant (ISO 8601, UTC); `later` leaves the moment to the
 * caller's back-off; `never` means that the same act would fail again.
 */
export type Retry =
  | { readonly kind: 'never' }
  | { readonly kind: 'later'; readonly afterMs?: number }
  | { readonly kind: 'at'; readonly at: string };

/**
 * Why something was not done. `code` is stable and named after the condition; `detail` is for people;
 * `isCertain` is false when it may have been done all the same (the answer never came).
 */
export interface Failure {
  readonly code: string;
  readonly detail: string;
  readonly retry: Retry;
  readonly isCertain: boolean;
  /** The provider's own code, where there was one: `131047`, `63016`. */
  readonly providerCode?: string;
  /** What the words are made of, for words in another language. */
  readonly facts?: Readonly<Record<string, string | number>>;
  /** The state that forbade it, where one did: `connected`. */
  readonly state?: string;
}
