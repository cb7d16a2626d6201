/** The generator as seen from the run. */
import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { endWithUs } from '../stage/leftovers.ts';
import type { LoadOrder, LoadProgress, ToGenerator } from './order.ts';

export interface Load {
  readonly progress: LoadProgress;
  /** Waits at so many messages, to be under way when something is to fall under it; null: goes on to its end. */
  bound(messages: number | null): void;
  /** No new message begins; what is open goes on until it is acknowledged. */
  stop(): void;
  /** Resolves when everything that began is acknowledged. Rejects after the time. */
  done(withinMs: number): Promise<LoadProgress>;
  end(): void;
}

const nothing: LoadProgress = {
  kind: 'progress',
  sent: 0,
  acked: 0,
  failures: {},
  refused: 0,
  repeats: 0,
  lastAskedMs: {},
  p99Ms: 0,
};

export function startLoad(order: LoadOrder): Load {
  const child = fork(fileURLToPath(new URL('./generator.ts', import.meta.url)), {
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  endWithUs(() => (child.exitCode === null ? child.pid : undefined));
  let progress = nothing;
  const finished = new Promise<LoadProgress>((resolve, reject) => {
    child.on('message', (told) => {
      progress = told as LoadProgress;
      if (progress.kind === 'done') resolve(progress);
    });
    child.once('exit', (code) => reject(new Error(`the load generator ended with ${code}`)));
  });
  finished.catch(() => {
    // Told to whoever asks for it.
  });
  const tell = (what: ToGenerator) => child.send(what);
  tell({ kind: 'start', order });
  return {
    get progress() {
      return progress;
    },
    bound: (messages) => void (child.connected && tell({ kind: 'bound', messages })),
    stop: () => void (child.connected && tell({ kind: 'stop' })),
    done(withinMs) {
      let timer: NodeJS.Timeout | undefined;
      const late = new Promise<never>((_, reject) => {
        timer = setTimeout(
          () => reject(new Error(`the load was not acknowledged within ${withinMs} ms: ${JSON.stringify(progress)}`)),
          withinMs,
        );
      });
      return Promise.race([finished, late]).finally(() => clearTimeout(timer));
    },
    end: () => void child.kill(),
  };
}
