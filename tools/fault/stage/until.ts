import { setTimeout as wait } from 'node:timers/promises';

/** Asks again and again until it holds; false when it did not within the time. */
export async function until(
  holds: () => boolean | Promise<boolean>,
  withinMs: number,
  everyMs: number,
): Promise<boolean> {
  const deadline = performance.now() + withinMs;
  for (;;) {
    if (await holds()) return true;
    if (performance.now() > deadline) return false;
    await wait(everyMs);
  }
}
