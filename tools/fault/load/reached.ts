/** Waiting for the load to come so far. */
import { until } from '../stage/until.ts';
import type { Load } from './load.ts';

const stallMs = 120_000;
const lookMs = 20;

/** False: the load was over before. Rejects when nothing more is acknowledged, however long the way is. */
export async function reached(load: Load, atAcked: number): Promise<boolean> {
  for (;;) {
    const { acked, refused } = load.progress;
    const isThere = () => load.progress.acked + load.progress.refused >= atAcked;
    const moves = () => load.progress.acked + load.progress.refused > acked + refused;
    const isTold = await until(() => isThere() || moves() || load.progress.kind === 'done', stallMs, lookMs);
    if (isThere()) return load.progress.kind !== 'done';
    if (load.progress.kind === 'done') return false;
    if (!isTold) throw new Error(`the load stands still at ${load.progress.acked} of ${atAcked}`);
  }
}
