/** The look-up of a token's account: from the database, from the caches, and beyond what they hold. */
import { routingLimits } from '../../../server/src/accounts/routing/routing.ts';
import type { Product } from '../../../server/src/compose/index.ts';
import { round } from '../ingest.ts';
import type { SeededWorkspace } from './seed.ts';

const coldLookUps = 3_000;
/** More than the cache of accounts holds, so that in turn none of them is found there. */
const manyLookUps = routingLimits.maxCachedAccounts + 1_000;
const warmRounds = 100;

interface Cost {
  readonly microseconds: number;
  /** Of the database, for one look-up. */
  readonly statements: number;
}

export interface LookUpReport {
  /** Tokens that this process has never seen. */
  readonly cold: Cost;
  /** The same tokens again. */
  readonly warm: Cost;
  /** More tokens in turn than the caches hold accounts. */
  readonly beyond: Cost & { readonly tokens: number };
}

export async function measureLookUps(product: Product, seeded: readonly SeededWorkspace[]): Promise<LookUpReport> {
  const tokens = seeded.flatMap(({ accounts }) => accounts.map(({ token }) => token));
  // A stride that shares no factor with their number: neighbours in the table are not asked for one after the other.
  const scattered = tokens.map((_, index) => tokens[(index * 7_919) % tokens.length]!);
  const few = scattered.slice(0, coldLookUps);
  const cold = await costOf(product, few, 1);
  const warm = await costOf(product, few, warmRounds);
  const many = scattered.slice(0, manyLookUps);
  await costOf(product, many, 1);
  return { cold, warm, beyond: { tokens: many.length, ...(await costOf(product, many, 1)) } };
}

/** As the gateway asks: what this process knows first, without waiting. */
async function costOf({ accounts, foundation }: Product, tokens: readonly string[], rounds: number): Promise<Cost> {
  const counts = foundation.storage.statements;
  const before = counts.app + counts.gateway + counts.worker;
  const began = performance.now();
  for (let round = 0; round < rounds; round += 1) {
    for (const token of tokens) {
      if (accounts.peekRoute('token', token)) continue;
      const routed = await accounts.route('token', token);
      if (routed.kind !== 'found') throw new Error('a token that was seeded is not routed');
    }
  }
  const lookUps = tokens.length * rounds;
  const milliseconds = performance.now() - began;
  const statements = counts.app + counts.gateway + counts.worker - before;
  return { microseconds: round((milliseconds * 1_000) / lookUps, 2), statements: round(statements / lookUps, 2) };
}
