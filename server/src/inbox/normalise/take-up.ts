/**
 * What a worker normalises next: what has arrived is unpacked, free shards are leased and their beginnings read, all in one
 * round trip, in which the shards of the batch before are given back too. Under load most of a message's time is waiting
 * for its turn on the processor, once for each round trip.
 */
import { crashPoint } from '#kernel';
import type { Row } from '#storage';
import { mayBeMore, unpackAfter, unpackStatement } from '../arrive/unpack.ts';
import { readStatement, type StoredDelivery, type StoredRow } from './normalise-store.ts';
import type { NormaliserDeps } from './normaliser.ts';
import { leaseOf, leaseStatement, releaseStatement, type ShardLease, type ShardRow } from './shard-store.ts';

export interface TakeUpLimits {
  readonly shards: number;
  readonly deliveries: number;
  readonly bytes: number;
}

export interface TakenUp {
  /** null: there was nothing to be had. */
  readonly lease: ShardLease | null;
  readonly stored: readonly StoredDelivery[];
  readonly isMoreToUnpack: boolean;
}

/** Throws StorageUnavailable when the database is away; what was leased by then is the caller's to give back. */
export async function takeUp(deps: NormaliserDeps, limits: TakeUpLimits, before: ShardLease | null): Promise<TakenUp> {
  const { storage, worker, leaseMs } = deps;
  crashPoint('unpack.before-move');
  if (before) crashPoint('normalise.before-release');
  const given = [
    unpackStatement,
    leaseStatement(worker, { limit: limits.shards, leaseMs }),
    readStatement(worker, limits.deliveries, limits.bytes),
  ];
  const outcomes = await storage.workerStatements(before ? [releaseStatement(before), ...given] : given);
  const [unpacked, leased, read] = outcomes.slice(-3) as [Outcome, Outcome, Outcome];
  crashPoint('unpack.moved');
  const lease = leased.status === 'fulfilled' ? leaseOf(worker, leased.value as unknown as ShardRow[]) : null;
  if (lease) crashPoint('normalise.leased');
  if (before) rowsOf(outcomes[0]!);
  rowsOf(leased);
  const isMoreToUnpack =
    unpacked.status === 'fulfilled' ? mayBeMore(unpacked.value) : await unpackAfter(unpacked.reason, deps);
  if (lease) crashPoint('normalise.read');
  return { lease, stored: ofLease(lease, rowsOf(read) as unknown as StoredRow[]), isMoreToUnpack };
}

type Outcome = PromiseSettledResult<Row[]>;

function rowsOf(outcome: Outcome): readonly Row[] {
  if (outcome.status === 'rejected') throw outcome.reason;
  return outcome.value;
}

/** A shard that an earlier batch could not give back is still held under our name, but not under this lease. */
function ofLease(lease: ShardLease | null, rows: readonly StoredRow[]): readonly StoredDelivery[] {
  const shards = new Set(lease?.shards.map(({ shard }) => shard));
  return rows.filter((row) => shards.has(row.shard));
}
