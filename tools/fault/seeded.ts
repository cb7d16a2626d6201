/** Choices that replay: the same seed gives the same ones. */
export interface Choices {
  /** From 0 to under 1. */
  next(): number;
  /** A whole number from 0 to under `below`. */
  below(below: number): number;
  pick<T>(from: readonly T[]): T;
  /** Another sequence, fixed by this one's seed and the name. */
  fork(name: string): Choices;
}

export function seeded(seed: number): Choices {
  let state = seed >>> 0;
  // mulberry32
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
  const below = (limit: number) => Math.floor(next() * limit);
  return {
    next,
    below,
    pick: (from) => from[below(from.length)]!,
    fork: (name) =>
      seeded([...name].reduce((hash, letter) => Math.imul(hash ^ letter.charCodeAt(0), 16_777_619), seed)),
  };
}
