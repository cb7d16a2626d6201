/** Server-sent events for the phone page: messages, ticks, and what is new in the ledger. */
import type { ServerResponse } from 'node:http';
import type { World } from '../world/world.ts';

/** A page that reads too slowly is cut off; it reconnects and loads anew. */
const SLOW_READER_BYTES = 4 * 1024 * 1024;
const HEARTBEAT_MS = 20_000;

export class PhoneEvents {
  readonly #readers = new Set<ServerResponse>();
  readonly #world: World;
  readonly #heartbeat: NodeJS.Timeout;

  constructor(world: World) {
    this.#world = world;
    this.#heartbeat = setInterval(() => this.#write(': alive\n\n'), HEARTBEAT_MS);
    this.#heartbeat.unref();
  }

  open(response: ServerResponse): void {
    response.writeHead(200, {
      'content-type': 'text/event-stream',
      'cache-control': 'no-store',
      'x-accel-buffering': 'no',
    });
    response.write('retry: 1000\n\n');
    this.#readers.add(response);
    response.once('close', () => this.#leave(response));
    this.#listen();
  }

  /** Tells the pages that numbers were registered or removed. */
  send(type: string, value: unknown): void {
    if (this.#readers.size > 0) this.#write(`event: ${type}\ndata: ${JSON.stringify(value)}\n\n`);
  }

  close(): void {
    clearInterval(this.#heartbeat);
    for (const reader of this.#readers) reader.end();
    this.#readers.clear();
    this.#listen();
  }

  /** Nobody looks: then nothing is prepared for anyone, and the hot path stays cheap. */
  #listen(): void {
    const { threads, ledger } = this.#world;
    const hasReaders = this.#readers.size > 0;
    threads.watch(hasReaders ? (event) => this.send(event.type, event) : null);
    ledger.watch(hasReaders ? (entry) => this.send('ledger', { ...entry, request: undefined }) : null);
  }

  #leave(reader: ServerResponse): void {
    this.#readers.delete(reader);
    this.#listen();
  }

  #write(text: string): void {
    for (const reader of this.#readers) {
      if (reader.writableLength > SLOW_READER_BYTES) reader.destroy();
      else reader.write(text);
    }
  }
}
