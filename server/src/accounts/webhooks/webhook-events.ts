/** Which webhook events an account wants, against those that its provider says it sends. */

export interface WebhookEvents {
  /** Chosen for this account, or else those that we make use of. */
  readonly wanted: readonly string[];
  /** As the provider told when it was last asked; null: never asked. */
  readonly subscribed: readonly string[] | null;
  readonly checkedAt: Date | null;
  /** Wanted, and not sent. */
  readonly missing: readonly string[];
  /** Sent, and not wanted. */
  readonly unwanted: readonly string[];
}

export function compareWebhookEvents(
  chosen: readonly string[],
  byDefault: readonly string[],
  told: { readonly subscribed: readonly string[] | null; readonly checkedAt: Date | null },
): WebhookEvents {
  const wanted = chosen.length > 0 ? chosen : byDefault;
  const { subscribed, checkedAt } = told;
  const without = (names: readonly string[], others: readonly string[]) =>
    names.filter((name) => !others.some((other) => sameEvent(name, other)));
  return {
    wanted,
    subscribed,
    checkedAt,
    missing: subscribed === null ? [] : without(wanted, subscribed),
    unwanted: subscribed === null ? [] : without(subscribed, wanted),
  };
}

/** Evolution writes one event as `messages.upsert`, `messages-upsert` and `MESSAGES_UPSERT`. */
function sameEvent(one: string, other: string): boolean {
  return plain(one) === plain(other);
}

function plain(name: string): string {
  return name.trim().replaceAll(/[.-]/g, '_').toLowerCase();
}
