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
import { type HeardChange, type LiveTopic, liveRingTopic, parseLiveRing } from '#storage';
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

export type LiveLimits = Readonly<Record<keyof typeof liveLimits, number>>;

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

export async function createLiveHub(
  deps: Pick<ApiDeps, 'engines' | 'log'>,
  limits: LiveLimits = liveLimits,
): Promise<LiveHub> {
  const { doorbell } = deps.engines;
  const streams = new Streams(limits, deps.log);
  const stops = [
    await doorbell.listen(liveRingTopic, (ring) => {
      const change = parseLiveRing(ring);
      if (change?.workspace === '*') streams.tellAll('reset');
      else if (change) streams.tell(change);
    }),
    await doorbell.listen(endedTopic, ({ holder }) => streams.endOf(String(holder))),
  ];
  const stopGap = doorbell.onGap(() => streams.tellAll('reset'));
  const timers = [
    setInterval(() => streams.beat(), limits.heartbeatMs).unref(),
    setInterval(() => void streams.checkAll(), limits.checkMs).unref(),
  ];
  return {
    open: (viewer, topics, stream) => streams.open(viewer, topics, stream),
    end: (holder) => doorbell.ring(endedTopic, { holder }),
    async close() {
      for (const timer of timers) clearInterval(timer);
      stopGap();
      for (const stop of stops) await stop();
      streams.endAll();
    },
  };
}

interface Stream {
  readonly viewer: Viewer;
  readonly response: ServerResponse;
  topics: ReadonlySet<LiveTopic>;
  sent: number;
}

/** The streams of this process. A stream is open from `open` until its right, its reader or the process ends it. */
class Streams {
  readonly #limits: LiveLimits;
  readonly #log: ApiDeps['log'];
  readonly #streams = new Set<Stream>();
  #isChecking = false;

  constructor(limits: LiveLimits, log: ApiDeps['log']) {
    this.#limits = limits;
    this.#log = log;
  }

  open(viewer: Viewer, topics: ReadonlySet<LiveTopic>, { take, isReturning }: NewStream): void {
    this.#checkRoom(viewer.workspaceId);
    const stream: Stream = { viewer, topics, response: take(), sent: 0 };
    stream.response.writeHead(200, streamHeaders);
    this.#streams.add(stream);
    stream.response.on('close', () => this.#streams.delete(stream));
    stream.response.on('error', () => this.#streams.delete(stream));
    stream.response.write('retry: 2000\n\n');
    this.#send(stream, isReturning ? 'reset' : 'hello', '{}');
  }

  tell({ workspace, events }: HeardChange): void {
    for (const stream of this.#streams) {
      if (stream.viewer.workspaceId !== workspace) continue;
      const shown = events.filter(({ topic }) => stream.topics.has(topic));
      for (const event of shown) this.#send(stream, 'change', JSON.stringify(event));
    }
  }

  tellAll(event: string): void {
    for (const stream of this.#streams) this.#send(stream, event, '{}');
  }

  beat(): void {
    for (const stream of this.#streams) this.#write(stream, ': still here\n\n');
  }

  endOf(holder: string): void {
    for (const stream of this.#streams) if (stream.viewer.holder === holder) this.#end(stream);
  }

  endAll(): void {
    for (const stream of this.#streams) this.#end(stream);
  }

  /** One after the other: a thousand streams must not ask the database at once. */
  async checkAll(): Promise<void> {
    if (this.#isChecking) return;
    this.#isChecking = true;
    // A Set is walked as it changes: what ends meanwhile is left out, what is new is looked at too.
    for (const stream of this.#streams) await this.#check(stream);
    this.#isChecking = false;
  }

  async #check(stream: Stream): Promise<void> {
    try {
      const topics = await stream.viewer.topics();
      if (topics === null) this.#end(stream);
      else stream.topics = topics;
    } catch (error) {
      // Not knowing is not a right: the browser comes back and is asked for its session anew.
      this.#log.warn({ err: error }, 'the right to a live stream could not be checked; it was ended');
      this.#end(stream);
    }
  }

  #checkRoom(workspaceId: WorkspaceId): void {
    const { maxStreams, maxStreamsPerWorkspace } = this.#limits;
    const ofWorkspace = [...this.#streams].filter((stream) => stream.viewer.workspaceId === workspaceId).length;
    if (this.#streams.size < maxStreams && ofWorkspace < maxStreamsPerWorkspace) return;
    throw new ProblemError('unavailable', 'there are too many live streams already', { retryAfterSeconds: 5 });
  }

  #send(stream: Stream, event: string, data: string): void {
    stream.sent += 1;
    this.#write(stream, `id: ${stream.sent}\nevent: ${event}\ndata: ${data}\n\n`);
  }

  /** A reader that is too slow is cut: it comes back by itself and is told to read anew. */
  #write(stream: Stream, text: string): void {
    if (stream.response.writableLength <= this.#limits.maxBufferedBytes) stream.response.write(text);
    else stream.response.destroy();
  }

  #end(stream: Stream): void {
    this.#streams.delete(stream);
    stream.response.end();
  }
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
