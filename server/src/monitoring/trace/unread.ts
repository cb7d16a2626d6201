/**
 * Deliveries that nobody has read yet, searched by what is in them: while no worker runs there is nothing else to find a
 * message by. What bears the number or the id in its bytes is read as the inbox will read it, so that only what a message
 * is about counts, and not what it says.
 */
import { canonicalPhone, type DeliveryId, type InboundEvent, type Provider } from '@switchyard/contract';
import type { Channel } from '#channels';
import { hashKey } from '#inbox';
import type { WorkspaceTx } from '#storage';
import type { TraceQuery } from './query.ts';
import { findTakenKeys, findUnread, type KeyOfUnread, type UnreadDelivery } from './unread-store.ts';

export type Channels = Readonly<Record<Provider, Pick<Channel, 'normalise'>>>;
type UnreadQuery = Exclude<TraceQuery, { by: 'trace' }>;

/** What could be read of it now. */
export interface Unread {
  readonly customer: string | null;
  readonly summary: string;
}

interface Match {
  readonly delivery: UnreadDelivery;
  readonly event: InboundEvent;
  readonly keyHash: Buffer;
}

/** An event that is known by another delivery is found there, and an erased one nowhere. */
export async function searchUnread(
  tx: WorkspaceTx,
  channels: Channels,
  query: UnreadQuery,
  limit: number,
): Promise<ReadonlyMap<DeliveryId, Unread>> {
  const needle = needleOf(query);
  if (needle === null) return new Map();
  const matches = (await findUnread(tx, needle, limit)).flatMap((delivery) => matchesIn(channels, delivery, query));
  if (matches.length === 0) return new Map();
  const taken = new Set((await findTakenKeys(tx, matches.map(keyOf))).map(textOfKey));
  const fresh = matches.filter((match) => !taken.has(textOfKey(keyOf(match))));
  // Of several in one delivery the first speaks for it.
  return new Map(fresh.toReversed().map(({ delivery, event }) => [delivery.id, told(event)]));
}

const keyOf = ({ delivery: { accountId }, keyHash }: Match): KeyOfUnread => ({ accountId, keyHash });
const textOfKey = ({ accountId, keyHash }: KeyOfUnread) => `${accountId} ${keyHash.toString('hex')}`;

/**
 * What must stand in the bytes, however they are written: of a number the digits that no country writes in two ways, of an
 * id its longest run that no encoding changes. null: there is none.
 */
export function needleOf(query: UnreadQuery): string | null {
  if (query.by === 'phone') return query.digits.slice(-8);
  const runs = query.id.match(/[A-Za-z0-9]+/g) ?? [];
  return runs.reduce<string | null>((longest, run) => (run.length > (longest?.length ?? 0) ? run : longest), null);
}

function matchesIn(channels: Channels, delivery: UnreadDelivery, query: UnreadQuery): Match[] {
  return readNow(channels, delivery)
    .filter((event) => isAbout(event, query))
    .map((event) => ({ delivery, event, keyHash: hashKey(delivery.provider, event) }));
}

function readNow(channels: Channels, { provider, receivedAt, ...request }: UnreadDelivery): readonly InboundEvent[] {
  try {
    return channels[provider].normalise({ ...request, receivedAt: receivedAt.toISOString() }).events;
  } catch {
    // What cannot be read becomes a dead letter when its turn comes, and names nobody.
    return [];
  }
}

/** By number its messages; by a provider's id its receipts too. */
function isAbout(event: InboundEvent, query: UnreadQuery): boolean {
  if (query.by === 'provider-id')
    return (event.kind === 'message' || event.kind === 'status') && event.providerMessageId === query.id;
  if (event.kind !== 'message') return false;
  return event.customer.some(
    ({ kind, value }) => (kind === 'phone' || kind === 'wa_id') && canonicalPhone(value) === query.phone,
  );
}

function told(event: InboundEvent): Unread {
  const customer = event.kind === 'message' || event.kind === 'status' ? event.customer[0]?.value : undefined;
  return { customer: customer ?? null, summary: `${event.kind}:${event.type}` };
}
