/**
 * What the phone page shows: for each customer of each number the newest messages with their ticks. Bounded, oldest
 * forgotten first; a load test of a million customers costs no more than a thousand.
 */
import { BoundedMap } from './bounded-map.ts';
import type { Customer } from './customer.ts';
import type { ScreenContent } from './screen.ts';

const THREAD_LIMIT = 1_000;
const MESSAGES_PER_THREAD = 200;
/** Customers' messages of which it is known who wrote them, for marks-as-read. */
const HOLDER_LIMIT = 50_000;

/** `in`: the customer wrote. For those `sent` means that our webhook was answered 2xx, `read` that we marked it. */
export type Tick = 'waiting' | 'sent' | 'delivered' | 'read' | 'failed';

export interface ThreadMessage {
  readonly id: string;
  readonly direction: 'in' | 'out';
  readonly atMs: number;
  content: ScreenContent;
  tick: Tick;
  note?: string;
}

export interface Thread {
  readonly number: string;
  customer: Customer;
  readonly messages: ThreadMessage[];
}

export type ThreadEvent =
  | { readonly type: 'message'; readonly number: string; readonly customer: Customer; readonly message: ThreadMessage }
  | {
      readonly type: 'tick';
      readonly number: string;
      readonly customer: string;
      readonly id: string;
      readonly tick: Tick;
      readonly note?: string;
    }
  | { readonly type: 'content'; readonly number: string; readonly customer: string; readonly message: ThreadMessage }
  | { readonly type: 'typing'; readonly number: string; readonly customer: string };

export class Threads {
  readonly #threads = new BoundedMap<string, Thread>(THREAD_LIMIT);
  readonly #holders = new BoundedMap<string, Thread>(HOLDER_LIMIT);
  #listener: ((event: ThreadEvent) => void) | null = null;

  watch(listener: ((event: ThreadEvent) => void) | null): void {
    this.#listener = listener;
  }

  add(number: string, customer: Customer, message: ThreadMessage): void {
    const key = `${number} ${customer.key}`;
    const thread = this.#threads.get(key) ?? { number, customer, messages: [] };
    if (message.direction === 'in') {
      thread.customer = customer;
      this.#holders.set(`${number} ${message.id}`, thread);
    }
    thread.messages.push(message);
    if (thread.messages.length > MESSAGES_PER_THREAD) thread.messages.shift();
    this.#threads.set(key, thread);
    this.#listener?.({ type: 'message', number, customer: thread.customer, message });
  }

  tick(number: string, customer: string, id: string, tick: Tick, note?: string): void {
    const message = this.find(number, customer, id);
    if (!message) return;
    message.tick = tick;
    if (note) message.note = note;
    this.#listener?.({ type: 'tick', number, customer, id, tick, ...(note ? { note } : {}) });
  }

  /** A customer's edit or deletion, as their own screen shows it. */
  rewrite(number: string, customer: string, id: string, content: ScreenContent): void {
    const message = this.find(number, customer, id);
    if (!message) return;
    message.content = content;
    this.#listener?.({ type: 'content', number, customer, message });
  }

  typing(number: string, customer: string): void {
    this.#listener?.({ type: 'typing', number, customer });
  }

  find(number: string, customer: string, id: string): ThreadMessage | undefined {
    return this.get(number, customer)?.messages.findLast((message) => message.id === id);
  }

  get(number: string, customer: string): Thread | undefined {
    return this.#threads.get(`${number} ${customer}`);
  }

  /** Whose message it is that a mark-as-read names. */
  holderOf(number: string, id: string): Thread | undefined {
    return this.#holders.get(`${number} ${id}`);
  }

  list(number: string): Thread[] {
    return [...this.#threads.values()].filter((thread) => thread.number === number);
  }

  clear(): void {
    this.#threads.clear();
    this.#holders.clear();
  }
}
