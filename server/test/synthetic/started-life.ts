/** A life as the test holds it: begun, told what to do, struck or stopped. */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { Go, LifeOptions } from './life.ts';

export interface Life {
  readonly child: ChildProcess;
  /** It has said where it is struck. */
  readonly struck: Promise<unknown>;
  readonly ended: Promise<{ readonly code: number | null; readonly signal: string | null; readonly words: string }>;
  go(order: Go): Promise<void>;
  /** In good order; gives its exit code. */
  stop(): Promise<number | null>;
}

/** `compiled`: where what is compiled once lies for the lives to come. */
export function startLife(options: LifeOptions, compiled: string): Life {
  const child = fork(join(import.meta.dirname, 'life.ts'), [JSON.stringify(options)], {
    execArgv: [],
    env: { ...process.env, NODE_COMPILE_CACHE: compiled },
    stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
  });
  let words = '';
  child.stdout!.setEncoding('utf8').on('data', (piece: string) => {
    words += piece;
  });
  const ended = once(child, 'close').then(([code, signal]) => ({ code, signal, words }));
  const ready = Promise.race([once(child, 'message'), ended.then(refuseEnd)]);
  // Whoever waits for it is told.
  ready.catch(() => {});
  const struck = once(child.stdout!, 'data');
  struck.catch(() => {});
  return {
    child,
    struck,
    ended,
    async go(order) {
      await ready;
      child.send(order);
    },
    async stop() {
      child.send('stop');
      return (await ended).code;
    },
  };
}

function refuseEnd(end: object): never {
  throw new Error(`a life ended before it was ready: ${JSON.stringify(end)}`);
}
