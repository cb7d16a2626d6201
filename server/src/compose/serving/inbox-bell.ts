const bellPauseMs = 20;

/** Rings at most once in `bellPauseMs`, however many batches are stored; the last of them is never left unrung. */
export function createBell(ring: () => Promise<void>) {
  let timer: NodeJS.Timeout | null = null;
  return {
    ring(): void {
      timer ??= setTimeout(() => {
        timer = null;
        ring().catch(() => {
          // The workers poll; a bell that does not ring costs them half a second.
        });
      }, bellPauseMs);
    },
    stop(): void {
      if (timer) clearTimeout(timer);
    },
  };
}
