/** How smoothly each moment passed. Pure. */
import type { Acked } from '../load/order.ts';

/** Lasts until the next begins, the last one to the end. */
export interface Moment {
  readonly name: string;
  readonly atMs: number;
  /** So long webhooks may wait for their 200 (p99). */
  readonly mayMs: number;
}

type Waits = Readonly<Record<string, number | null>>;

/** From the first try to the 200, however many tries it took; by the moment of the first. null: none was begun then. */
export function ackP99Of(acked: readonly Acked[], moments: readonly Moment[]): Waits {
  const p99 = moments.map(({ name, atMs }, index) => {
    const endMs = moments[index + 1]?.atMs ?? Infinity;
    const waits = acked
      .filter((one) => one.firstMs >= atMs && one.firstMs < endMs)
      .map((one) => one.ackedMs - one.firstMs)
      .toSorted((a, b) => a - b);
    return [name, waits[Math.floor(waits.length * 0.99)] ?? null] as const;
  });
  return Object.fromEntries(p99);
}

/** What is wrong, in words. A moment or a count without anything to judge by is. */
export function judgeHerd(seen: {
  readonly moments: readonly Moment[];
  readonly p99Ms: Waits;
  /** Of the account that was looked up most; null: none was. */
  readonly lookUps: number | null;
  readonly mayLookUp: number;
  /** Sends, while the provider took nothing. */
  readonly refused: number;
  /** Connections that each drop of the caches ended. */
  readonly dropped: readonly number[];
}): string[] {
  const { moments, p99Ms, lookUps, mayLookUp, refused, dropped } = seen;
  const slow = moments.flatMap(({ name, mayMs }) => {
    const ms = p99Ms[name] ?? null;
    if (ms === null) return [`after "${name}" no webhook was acknowledged: that proves nothing`];
    return ms > mayMs ? [`after "${name}" webhooks waited ${ms} ms for their 200 (p99)`] : [];
  });
  return [
    ...slow,
    ...(lookUps === null ? ['no account was ever looked up: that proves nothing'] : []),
    ...(lookUps !== null && lookUps > mayLookUp
      ? [`an account was looked up ${lookUps} times, where ${mayLookUp} would do`]
      : []),
    ...(refused === 0 ? ['the outage struck no send: that proves nothing'] : []),
    ...(dropped.some((count) => count === 0) ? ['nobody listened whose caches could be dropped'] : []),
  ];
}
