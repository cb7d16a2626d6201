/**
 * Event streams to browsers. What changes is rung on the doorbell by whoever commits it; every process passes on what
 * its own browsers may see. Rings may be lost, so after a gap, and after a browser has come back, it is told `reset`
 * and reads anew what it shows.
 */
import type { ServerResponse } from 'node:http';
import type { LiveEvent, WorkspaceId } from '@switchyard/contract';
import type { ApiDeps } from './deps.ts';

/** `{workspace, topic, id}`. */
export const liveTopic = 'live';

export const liveLimits = { heartbeatMs: 15_000, maxStreams: 2_000, maxBufferedBytes: 256 * 1024 } as const;

interface Stream {
  readonly workspaceId: WorkspaceId;
  readonly response: ServerResponse;
}

export interface LiveHub {
  open(workspaceId: WorkspaceId, response: ServerResponse, isReturning: boolean): void;
  close(): Promise<void>;
}

export async function createLiveHub(deps: Pick<ApiDeps, 'engines' | 'log'>): Promise<LiveHub> {
  const streams = new Set<Stream>();
  const stopListening = await deps.engines.doorbell.listen(liveTopic, (payload) => {
    const event: LiveEvent = { topic: payload.topic as LiveEvent['topic'], id: String(payload.id) };
    for (const stream of streams)
      if (stream.workspaceId === payload.workspace) send(stream, frame('change', JSON.stringify(event)));
  });
  const stopGap = deps.engines.doorbell.onGap(() => {
    for (const stream of streams) send(stream, frame('reset', '{}'));
  });
  const heartbeat = setInterval(() => {
    for (const stream of streams) send(stream, ': still here\n\n');
  }, liveLimits.heartbeatMs);
  heartbeat.unref();

  function send(stream: Stream, text: string): void {
    if (stream.response.writableLength > liveLimits.maxBufferedBytes) drop(stream);
    else stream.response.write(text);
  }

  /** A reader that is too slow comes back by itself and is told to read anew. */
  function drop(stream: Stream): void {
    streams.delete(stream);
    stream.response.destroy();
  }

  return {
    open(workspaceId, response, isReturning) {
      if (streams.size >= liveLimits.maxStreams) {
        response.writeHead(503, { 'retry-after': '5' });
        response.end();
        return;
      }
      response.writeHead(200, {
        'content-type': 'text/event-stream; charset=utf-8',
        'cache-control': 'no-store',
        'x-accel-buffering': 'no',
      });
      const stream = { workspaceId, response };
      streams.add(stream);
      response.on('close', () => streams.delete(stream));
      response.on('error', () => streams.delete(stream));
      response.write(`retry: 2000\n\n${isReturning ? frame('reset', '{}') : frame('hello', '{}')}`);
    },
    async close() {
      clearInterval(heartbeat);
      stopGap();
      await stopListening();
      for (const { response } of streams) response.end();
      streams.clear();
    },
  };
}

let lastId = 0;

function frame(event: string, data: string): string {
  lastId += 1;
  return `id: ${lastId}\nevent: ${event}\ndata: ${data}\n\n`;
}
