/**
 * Event streams to browsers. What changes is rung by whoever commits it (`createLiveBell`); every process passes on what
 * its own browsers may see. Rings may be lost, so after a gap, and after a browser has come back, it is told `reset` and
 * reads anew what it shows.
 *
 * A stream outlives the request that opened it, so its right is looked at again every `checkMs`, and a log-out or a
 * revoked key ends it at once in every process.
 */
import type { ServerResponse } from 'node:http';
import type { WorkspaceId } from '@switchyard/contract';
import { type LiveTopic, liveRingTopic, parseLiveRing } from '#storage';
import type { Principal } from '#workspaces';
import type { ApiDeps } from './deps.ts';
import { ProblemError } from './problem.ts';

/** `{holder}`: streams of this session or key end. */
const endedTopic = 'live.ended';

export const liveLimits = {
  heartbeatMs: 15_000,
  checkMs: 15_000,
  maxStreams: 2_000,
  maxStreamsPerWorkspace: 200,
  maxBufferedBytes: 256 * 1024,
} as const;

export interface Viewer {
  readonly workspaceId: WorkspaceId;
  /** The session or key that the stream stands on. */
  readonly holder: string;
  /** What they may be told of now; null when the right has ended. Rejects when it could not be looked up. */
  topics(): Promise<ReadonlySet<LiveTopic> | null>;
}

export interface LiveHub {
  /** Throws `unavailable` when there are too many. Takes the response over. */
  open(viewer: Viewer, topics: ReadonlySet<LiveTopic>, stream: NewStream): void;
  /** Ends this holder's streams, here and in every other process. */
  end(holder: string): Promise<void>;
  close(): Promise<void>;
}

export interface NewStream {
  /** Called once the stream may open: the caller gives up its own hold of the response. */
  take(): ServerResponse;
  readonly isReturning: boolean;
}

interface Stream {
  readonly viewer: Viewer;
  readonly response: ServerResponse;
  topics: ReadonlySet<LiveTopic>;
  sent: number;
}

export async function createLiveHub(
  deps: Pick<ApiDeps, 'engines' | 'log'>,
  limits: Readonly<Record<keyof typeof liveLimits, number>> = liveLimits,
): Promise<LiveHub> {
  const { doorbell } = deps.engines;
  const streams = new Set<Stream>();
  const tellAll = (event: string) => {
    for (const stream of streams) send(stream, event, '{}');
  };
  const stops = [
    await doorbell.listen(liveRingTopic, (ring) => {
      const change = parseLiveRing(ring);
      if (!change) return;
      if (change.workspace === '*') return tellAll('reset');
      for (const stream of streams) {
        if (stream.viewer.workspaceId !== change.workspace) continue;
        for (const event of change.events)
          if (stream.topics.has(event.topic)) send(stream, 'change', JSON.stringify(event));
      }
    }),
    await doorbell.listen(endedTopic, ({ holder }) => {
      for (const stream of streams) if (stream.viewer.holder === holder) finish(stream);
    }),
  ];
  const stopGap = doorbell.onGap(() => tellAll('reset'));
  const timers = [
    setInterval(() => {
      for (const stream of streams) write(stream, ': still here\n\n');
    }, limits.heartbeatMs),
    setInterval(() => void checkAll(), limits.checkMs),
  ];
  for (const timer of timers) timer.unref();

  function send(stream: Stream, event: string, data: string): void {
    stream.sent += 1;
    write(stream, `id: ${stream.sent}\nevent: ${event}\ndata: ${data}\n\n`);
  }

  /** A reader that is too slow is cut: it comes back by itself and is told to read anew. */
  function write(stream: Stream, text: string): void {
    if (stream.response.writableLength <= limits.maxBufferedBytes) stream.response.write(text);
    else stream.response.destroy();
  }

  function finish(stream: Stream): void {
    streams.delete(stream);
    stream.response.end();
  }

  let isChecking = false;

  /** One after the other: a thousand streams must not ask the database at once. */
  async function checkAll(): Promise<void> {
    if (isChecking) return;
    isChecking = true;
    for (const stream of [...streams]) await check(stream);
    isChecking = false;
  }

  async function check(stream: Stream): Promise<void> {
    try {
      const topics = await stream.viewer.topics();
      if (topics === null) finish(stream);
      else stream.topics = topics;
    } catch (error) {
      // Not knowing is not a right: the browser comes back and is asked for its session anew.
      deps.log.warn({ err: error }, 'the right to a live stream could not be checked; it was ended');
      finish(stream);
    }
  }

  function checkRoom(workspaceId: WorkspaceId): void {
    const ofWorkspace = [...streams].filter((stream) => stream.viewer.workspaceId === workspaceId).length;
    if (streams.size < limits.maxStreams && ofWorkspace < limits.maxStreamsPerWorkspace) return;
    throw new ProblemError('unavailable', 'there are too many live streams already', { retryAfterSeconds: 5 });
  }

  return {
    open(viewer, topics, { take, isReturning }) {
      checkRoom(viewer.workspaceId);
      const stream: Stream = { viewer, topics, response: take(), sent: 0 };
      stream.response.writeHead(200, streamHeaders);
      streams.add(stream);
      stream.response.on('close', () => streams.delete(stream));
      stream.response.on('error', () => streams.delete(stream));
      stream.response.write('retry: 2000\n\n');
      send(stream, isReturning ? 'reset' : 'hello', '{}');
    },
    end: (holder) => doorbell.ring(endedTopic, { holder }),
    async close() {
      for (const timer of timers) clearInterval(timer);
      stopGap();
      for (const stop of stops) await stop();
      for (const stream of streams) finish(stream);
    },
  };
}

/** The session or key that a stream stands on. */
export function holderOf(principal: Principal): string {
  return principal.kind === 'key' ? `key ${principal.keyId}` : `session ${principal.sessionId}`;
}

const streamHeaders = {
  'content-type': 'text/event-stream; charset=utf-8',
  'cache-control': 'no-store',
  'x-accel-buffering': 'no',
  'x-content-type-options': 'nosniff',
} as const;
