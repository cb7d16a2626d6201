/** Whatever ends this process (a signal, an error, Ctrl-C): what it started does not outlive it. */
const stillRunning = new Set<() => number | undefined>();
let isWatching = false;

/** `findPid` is asked at the end; undefined: nothing to end. Gives what forgets it again. */
export function endWithUs(findPid: () => number | undefined): () => void {
  if (!isWatching) watch();
  stillRunning.add(findPid);
  return () => void stillRunning.delete(findPid);
}

function watch(): void {
  isWatching = true;
  process.once('exit', endAll);
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => process.exit(130));
}

function endAll(): void {
  // The youngest first: a server that still ran would start its database again.
  for (const findPid of [...stillRunning].reverse()) {
    const pid = findPid();
    if (pid === undefined) continue;
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // Gone already.
    }
  }
}
