/**
 * The chain of a workspace's audit log: each entry's hash covers its whole content and the hash before it, so an entry that
 * was changed, taken out, put in or moved shows at the next one. Pure.
 *
 * Whoever can write past our roles can hash the whole chain anew; against that, keep an anchor (`sequence:hash`) elsewhere.
 * Entries of format 1 are older than the canonical form: only their place in the chain is checked.
 */
import { sha256Hex } from '#storage';
import { canonicalJson } from './canonical-json.ts';
import type { Facts } from './entry.ts';

/** The first entry's predecessor. */
export const genesis = '0'.repeat(64);
export const currentFormat = 2;

export interface ChainEntry {
  readonly workspaceId: string;
  /** From 1, without gaps; decimal digits. */
  readonly sequence: string;
  /** To the millisecond, so that it comes back from the database as it was hashed. */
  readonly at: Date;
  readonly actor: string;
  readonly action: string;
  readonly resource: string;
  readonly fields: Facts;
  readonly previousHash: string;
}

export interface StoredEntry extends ChainEntry {
  readonly hash: string;
  readonly format: number;
}

export function hashOfEntry(entry: ChainEntry): string {
  const { workspaceId, sequence, at, actor, action, resource, fields, previousHash } = entry;
  return sha256Hex(
    canonicalJson({
      format: currentFormat,
      workspace: workspaceId,
      sequence,
      at: at.toISOString(),
      actor,
      action,
      resource,
      fields,
      previous: previousHash,
    }),
  );
}

export type ChainBreak =
  /** An entry is missing before this one, or it is there twice. */
  | 'sequence'
  /** It does not follow the entry before it. */
  | 'previous-hash'
  /** Its content is not what was written. */
  | 'hash'
  /** Of the older, unchecked form after an entry of the newer. */
  | 'format';

export interface ChainEnd {
  readonly sequence: string;
  readonly hash: string;
  readonly format: number;
}

export const chainStart: ChainEnd = { sequence: '0', hash: genesis, format: 1 };

/** null: the entry follows. */
export function checkLink(end: ChainEnd, entry: StoredEntry): ChainBreak | null {
  if (BigInt(entry.sequence) !== BigInt(end.sequence) + 1n) return 'sequence';
  if (entry.previousHash !== end.hash) return 'previous-hash';
  if (entry.format < end.format || entry.format > currentFormat) return 'format';
  return entry.format === currentFormat && entry.hash !== hashOfEntry(entry) ? 'hash' : null;
}
