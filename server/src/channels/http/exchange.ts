import type { IncomingHttpHeaders } from 'node:http';
import type { Dispatcher } from 'undici';
import { crashPoint, isCrashPointArmed } from '#kernel';
import type { SendTimeouts } from '../channel.ts';
import { type LostAnswer, uncertainAfter, unreachableBefore } from './lost.ts';

/** The provider's whole answer, whatever it says. Header names are lower case, repeated values joined by `, `. */
export interface CompleteAnswer {
  readonly kind: 'answered';
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
}

export type Answer = CompleteAnswer | LostAnswer;

/** Real answers hold a few kilobytes. */
export const maxAnswerBytes = 1024 * 1024;

/**
 * One request and its answer. It is waiting, then started (undici calls `onRequestStart` right before the first byte is
 * written), then over; `settle` is called once, on the way to over. Before started nothing can have been sent, so every
 * end is `unreachable`; afterwards only a complete answer is better than `uncertain`.
 */
export class Exchange implements Dispatcher.DispatchHandler {
  #state: 'waiting' | 'started' | 'over' = 'waiting';
  #controller: Dispatcher.DispatchController | undefined;
  #status = 0;
  #headers: Record<string, string> = {};
  #chunks: Buffer[] = [];
  #bytes = 0;
  readonly #settle: (answer: Answer) => void;
  readonly #timer: NodeJS.Timeout;
  readonly #signal: AbortSignal;
  readonly #onAbort = () => this.#giveUp('aborted', 'the sender was told to stop');

  constructor(timeouts: SendTimeouts, signal: AbortSignal, settle: (answer: Answer) => void) {
    this.#settle = settle;
    this.#signal = signal;
    this.#timer = setTimeout(
      () => this.#giveUp('total-timeout', `no complete answer within ${timeouts.totalMs} ms`),
      timeouts.totalMs,
    );
    signal.addEventListener('abort', this.#onAbort, { once: true });
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    // Given up while it queued for a connection: aborted here, before the first byte.
    if (this.#state === 'over') controller.abort(new Error('given up'));
    else this.#state = 'started';
    // Undici writes the request in this very turn; in the next one it has left.
    if (isCrashPointArmed()) setImmediate(() => crashPoint('outbox.request-started'));
  }

  onResponseStart(_controller: Dispatcher.DispatchController, status: number, headers: IncomingHttpHeaders): void {
    // Informational answers (1xx) come before the real one and are replaced by it.
    this.#status = status;
    this.#headers = Object.fromEntries(
      Object.entries(headers).map(([name, value]) => [name.toLowerCase(), joinedHeader(value)]),
    );
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
    this.#bytes += chunk.length;
    if (this.#bytes > maxAnswerBytes) this.#giveUp('answer-too-big', `the answer is over ${maxAnswerBytes} bytes`);
    else this.#chunks.push(chunk);
  }

  onResponseEnd(): void {
    const body = Buffer.concat(this.#chunks);
    this.#finish({ kind: 'answered', status: this.#status, headers: this.#headers, body });
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    this.fail(error);
  }

  /** What ended the exchange; by when it came it is told what it means. */
  fail(error: unknown): void {
    this.#finish(this.#state === 'waiting' ? unreachableBefore(error) : uncertainAfter(error));
  }

  #giveUp(code: string, detail: string): void {
    if (this.#state === 'over') return;
    const isUnsent = this.#state === 'waiting';
    const failure = { code, detail, retry: { kind: isUnsent ? 'later' : 'never' }, isCertain: isUnsent } as const;
    this.#finish({ kind: isUnsent ? 'unreachable' : 'uncertain', failure });
    this.#controller?.abort(new Error('given up'));
  }

  #finish(answer: Answer): void {
    if (this.#state === 'over') return;
    this.#state = 'over';
    clearTimeout(this.#timer);
    this.#signal.removeEventListener('abort', this.#onAbort);
    this.#chunks = [];
    this.#settle(answer);
  }
}

function joinedHeader(value: string | readonly string[] | undefined): string {
  return typeof value === 'string' ? value : (value ?? []).join(', ');
}
