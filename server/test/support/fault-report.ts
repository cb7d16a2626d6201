/** What a sound fault run prints: nothing lost, doubled, out of order or crossed; money and migration are not tried yet. */
import { type Invariants, invariantNames } from '../../../tools/fault/check/verdict.ts';

const notTried: readonly string[] = ['I8', 'I9'];

export const keptInvariants = Object.fromEntries(
  invariantNames.map((name) => [name, notTried.includes(name) ? null : true]),
) as Invariants;

export const soundTotals = {
  ...{ lost: 0, doubleEffects: 0, doubleSends: 0, unflaggedDoubleSends: 0, outOfOrder: 0, crossed: 0 },
} as const;
