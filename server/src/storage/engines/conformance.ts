/** What a conformance suite is given, so that the same promises are tested on every engine. */
import { vi } from 'vitest';
import type { Clock } from '#kernel';
import type { Engines } from '../engines.ts';
import type { ProcessOptions } from './conformance-process.ts';

export interface EnginesUnderTest {
  readonly name: string;
  /** Engines as another process would have them; closed after the test. */
  open(options?: { readonly clock?: Clock; readonly random?: () => number }): Promise<Engines>;
  /** Ends, from the server's side, the connections by which the engines opened as number `index` ring and hear. */
  cutDoorbell(index: number): Promise<void>;
  /** Ends all connections of job queues and workers. */
  cutJobs(): Promise<void>;
  /** For a process of its own: what `open` in this file makes engines of. */
  processOptions(): ProcessOptions;
}

/** Looks again until the expectation holds. */
export function eventually<T>(expectation: () => T | Promise<T>, timeout = 10_000): Promise<T> {
  return vi.waitFor(expectation, { timeout, interval: 10 });
}

/** A promise and the hand that settles it. */
export function gate<T = void>(): { readonly opened: Promise<T>; readonly open: (value: T) => void } {
  const { promise, resolve } = Promise.withResolvers<T>();
  return { opened: promise, open: resolve };
}
