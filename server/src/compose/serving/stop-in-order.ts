/** The orderly end of a server: nobody new is sent to it, what is in flight is finished, leases are given back, all of it in time. */
import { setTimeout as pause } from 'node:timers/promises';
import type { Config } from '#config';
import type { Log } from '#kernel';
import { type Deadline, endInTime, type Parts } from '../deadline.ts';
import type { Listener } from './listener.ts';
import type { openApi } from './open-api.ts';

/** Of the whole stop, without that of an embedded database and of stand-ins, which comes after it. */
export const stopLimits = {
  allMs: 10_000,
  /** Kept for the connections to the database and to Redis. */
  closeMs: 1_000,
  /** Kept for writing down what became of requests, theirs and ours, that had to be cut off. */
  lastWordsMs: 2_000,
} as const;

interface StopsWithin {
  stop(ms: number): Promise<unknown>;
}

/** null: this process has none. */
export interface Stopping {
  readonly config: Pick<Config, 'roles' | 'stopNoticeMs'>;
  readonly log: Log;
  readonly listener: Listener;
  readonly receiver: { close(): Promise<unknown> };
  readonly api: ReturnType<typeof openApi> | null;
  readonly drain: StopsWithin | null;
  readonly dispatcher: StopsWithin | null;
  /** They have been told already. */
  readonly others: Parts;
}

/** Never rejects: what is late, or does not stop well, is named in the log. */
export async function stopInOrder(server: Stopping, deadline: Deadline): Promise<void> {
  const graceMs = () => Math.max(0, deadline.leftMs() - stopLimits.closeMs);
  const requestsMs = () => Math.max(0, graceMs() - stopLimits.lastWordsMs);
  const parts = {
    listener: leave(server, requestsMs),
    drain: server.drain?.stop(graceMs()),
    dispatcher: server.dispatcher?.stop(requestsMs()),
    ...server.others,
  };
  await endInTime(parts, graceMs(), server.log);
}

async function leave({ config, listener, receiver, api }: Stopping, requestsMs: () => number): Promise<void> {
  listener.announceEnd();
  // Nobody is sent to a process that only works.
  if (config.roles.some((role) => role !== 'worker')) await pause(config.stopNoticeMs);
  const streamsEnded = api?.then((opened) => opened.close(), ignoreNotOpened);
  await listener.close(requestsMs());
  // What was asked before the listener closed is still stored.
  await receiver.close();
  await streamsEnded;
}

/** Whoever waits for it is told. */
function ignoreNotOpened(): void {}
