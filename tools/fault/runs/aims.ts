/** How soon somebody should be whole again, beside how soon they were. Pure. */

/** Beside the figures, not judged: how loaded the machine was is not ours to say. */
export const aimMs = { gateway: 5_000, worker: 60_000, postgres: 10_000, redis: 60_000 } as const;
export type Target = keyof typeof aimMs;

/** Whatever fell, and however loaded the machine: beyond this the run fails. */
export const recoveryMayTakeMs = 60_000;

/** Of all blows of a kind whose end was seen. */
export interface Aim {
  readonly kind: string;
  readonly aimMs: number;
  readonly worstMs: number;
  readonly count: number;
  /** So many of them took longer than the aim. */
  readonly over: number;
  readonly met: boolean;
}

/** The first word of a kind is what was struck. */
export function aimsOf(seen: readonly { readonly kind: string; readonly tookMs: number | null }[]): Aim[] {
  const each = seen.flatMap(({ kind, tookMs }) => {
    const aim = aimMs[kind.split(' ')[0] as Target];
    if (tookMs === null || aim === undefined) return [];
    const worstMs = Math.max(0, Math.round(tookMs));
    return [{ kind, aimMs: aim, worstMs, count: 1, over: worstMs > aim ? 1 : 0, met: worstMs <= aim }];
  });
  return addAims(each);
}

/** One of each kind, of all that are given. */
export function addAims(aims: readonly Aim[]): Aim[] {
  return [...Map.groupBy(aims, ({ kind }) => kind).values()].map((same) => ({
    ...same[0]!,
    worstMs: Math.max(...same.map(({ worstMs }) => worstMs)),
    count: same.reduce((sum, { count }) => sum + count, 0),
    over: same.reduce((sum, { over }) => sum + over, 0),
    met: same.every(({ met }) => met),
  }));
}
