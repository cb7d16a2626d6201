/** What an account shall be, put together from what it was and what is wished: pure, and the place that refuses. */
import type { Failure } from '@switchyard/contract';
import type { AccountFields } from '#channels';
import type { AccountChange, MetadataValue } from '../accounts.ts';
import { failureOf } from '../failures.ts';

type Named = Readonly<Record<string, string>>;

export const wishLimits = { maxMetadata: 50, maxMetadataLength: 1_000, maxWebhookEvents: 50 } as const;

/** By name; null takes one away. What the provider told stands among them, under its own names. */
export function mergeMetadata(
  before: Readonly<Record<string, unknown>>,
  change: Readonly<Record<string, MetadataValue>> = {},
): Readonly<Record<string, unknown>> {
  const merged = { ...before, ...change };
  return Object.fromEntries(Object.entries(merged).filter(([, value]) => value !== null));
}

/** Null when all of it may be. */
export function checkWish(
  wish: Pick<AccountChange, 'metadata' | 'wantedWebhookEvents' | 'secretEnds'>,
  fields: AccountFields,
  secrets: Named,
): Failure | null {
  return (
    checkMetadata(wish.metadata ?? {}) ??
    checkWanted(wish.wantedWebhookEvents ?? [], fields) ??
    checkEnds(Object.keys(wish.secretEnds ?? {}), secrets)
  );
}

function checkMetadata(metadata: Readonly<Record<string, MetadataValue>>): Failure | null {
  const { maxMetadata, maxMetadataLength } = wishLimits;
  const entries = Object.entries(metadata);
  if (entries.length > maxMetadata) return failureOf('metadata_too_large', `There is room for ${maxMetadata} entries.`);
  if (entries.some(([name]) => name === 'qr')) return failureOf('unknown_field', 'The entry qr is not yours to set.');
  const long = entries.find(([, value]) => typeof value === 'string' && value.length > maxMetadataLength);
  return long
    ? failureOf('metadata_too_large', `The entry ${long[0]} has over ${maxMetadataLength} characters.`)
    : null;
}

function checkWanted(wanted: readonly string[], fields: AccountFields): Failure | null {
  if (wanted.length > wishLimits.maxWebhookEvents) return failureOf('too_many_events', 'That is more than there are.');
  const odd = wanted.find((name) => !/^[\w.-]{1,60}$/.test(name));
  if (odd === undefined) return null;
  return failureOf('event_malformed', `An event is named as the provider does, such as ${fields.webhookEvents[0]}.`);
}

function checkEnds(names: readonly string[], secrets: Named): Failure | null {
  const odd = names.find((name) => !secrets[name]);
  return odd === undefined ? null : failureOf('unknown_field', `There is no secret ${odd} whose end could be kept.`);
}
