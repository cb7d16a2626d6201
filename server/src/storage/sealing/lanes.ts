/** So many at once, so many waiting in turn, and no more. */
export interface Lanes {
  run<T>(work: () => Promise<T>): Promise<T | 'busy'>;
}

export function createLanes(concurrency: number, maxWaiting: number): Lanes {
  let free = concurrency;
  const waiting: (() => void)[] = [];

  function leave(): void {
    const next = waiting.shift();
    // The lane goes straight to the next in turn, so a newcomer cannot overtake it.
    if (next) next();
    else free += 1;
  }

  return {
    async run(work) {
      if (free > 0) free -= 1;
      else if (waiting.length < maxWaiting) await new Promise<void>((enter) => waiting.push(enter));
      else return 'busy';
      try {
        return await work();
      } finally {
        leave();
      }
    },
  };
}
