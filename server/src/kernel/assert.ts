/** Throws when a promise of our own code is broken; never for bad input. */
export function assert(condition: unknown, promise: string): asserts condition {
  if (!condition) throw new Error(`broken promise: ${promise}`);
}

export function assertNever(value: never): never {
  throw new Error(`broken promise: unexpected ${JSON.stringify(value)}`);
}
