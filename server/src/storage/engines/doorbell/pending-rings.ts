/**
 * Rings on their way out. They leave in batches, in order; those that could not leave wait for the next connection,
 * since the other processes, whose connections are well, would never learn that they missed one. When more than
 * `maxPendingRings` wait, the oldest are given up and one `gap` ring stands for them all.
 *
 * Rings alike that wait together are one ring.
 */
export interface PendingRing {
  readonly topic: string;
  /** JSON. */
  readonly payload: string;
}

export const maxPendingRings = 10_000;
const maxBatch = 200;
/** Without news of a new connection, what could not leave is tried again after this. */
const retryMs = 500;

export interface PendingRings {
  /** Resolves when the ring has left, or at once while there is no connection. Never rejects. */
  add(ring: PendingRing): Promise<void>;
  /** Sends what waits; call it when the connection is back. */
  flush(): Promise<void>;
  /** Tries once more; what cannot leave then is given up. */
  close(): Promise<void>;
}

/** `send` answers whether the batch has left; false keeps it for later. */
export function createPendingRings(gap: PendingRing, send: (batch: PendingRing[]) => Promise<boolean>): PendingRings {
  const waiting = new Map<string, PendingRing>();
  let flushing: Promise<void> | undefined;
  let retry: NodeJS.Timeout | undefined;

  function keep(ring: PendingRing): void {
    waiting.set(`${ring.topic} ${ring.payload}`, ring);
    if (waiting.size <= maxPendingRings) return;
    waiting.clear();
    waiting.set('', gap);
  }

  async function sendAll(): Promise<void> {
    let hasLeft = true;
    while (hasLeft && waiting.size > 0) {
      const batch = [...waiting].slice(0, maxBatch);
      for (const [key] of batch) waiting.delete(key);
      hasLeft = await send(batch.map(([, ring]) => ring));
      if (!hasLeft) for (const [, ring] of batch) keep(ring);
    }
    if (!hasLeft) retryLater();
    // In the same breath as the last look at `waiting`: a ring added after it starts a flush of its own.
    flushing = undefined;
  }

  function retryLater(): void {
    clearTimeout(retry);
    retry = setTimeout(() => void flush(), retryMs).unref();
  }

  function flush(): Promise<void> {
    if (waiting.size === 0) return flushing ?? Promise.resolve();
    flushing ??= Promise.resolve().then(sendAll);
    return flushing;
  }

  return {
    add(ring) {
      keep(ring);
      return flush();
    },
    flush,
    async close() {
      await flush();
      clearTimeout(retry);
    },
  };
}
