/** Sends of one session, each id once: a repeat of the server's gets the answer of the first. */
import { createHash } from 'node:crypto';
import type { OutboundContent } from '@switchyard/contract';
import { NotSent, type Recipient, type WebClient } from './web-client.ts';

export interface SendRequest {
  readonly id: string;
  readonly to: Recipient;
  readonly content: OutboundContent;
  readonly replyTo?: string;
}

export interface Sent {
  readonly messageId: string;
  readonly timestamp: number;
}

/** Answers remembered. A repeat after that goes out under the same message id, which WhatsApp takes for the same message. */
const maxRemembered = 10_000;

export class Sends {
  readonly #answers = new Map<string, Promise<Sent>>();
  readonly #nowMs: () => number;
  #last: Promise<unknown> = Promise.resolve();

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
  }

  /** Throws what the client throws. What surely was not sent may be tried again under its id. */
  send(client: WebClient, request: SendRequest): Promise<Sent> {
    const known = this.#answers.get(request.id);
    if (known) return known;
    const sent = this.#inTurn(() => this.#sendOnce(client, request));
    this.#remember(request.id, sent);
    return sent;
  }

  async #sendOnce(client: WebClient, { id, ...sending }: SendRequest): Promise<Sent> {
    try {
      const { messageId } = await client.send({ ...sending, messageId: messageIdOf(id) });
      return { messageId, timestamp: this.#nowMs() };
    } catch (error) {
      if (error instanceof NotSent) this.#answers.delete(id);
      throw error;
    }
  }

  /** One after another, so that the order of asking is the order of sending. */
  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#last.then(work, work);
    this.#last = turn.catch(() => undefined);
    return turn;
  }

  #remember(id: string, sent: Promise<Sent>): void {
    if (this.#answers.size >= maxRemembered) {
      const [oldest] = this.#answers.keys();
      if (oldest !== undefined) this.#answers.delete(oldest);
    }
    this.#answers.set(id, sent);
  }
}

/**
 * Capital hex digits, as WhatsApp's own clients write ids. Of an attempt's uuid its own 32 digits, so that a receipt tells
 * which attempt it is about; of any other text a digest. The same id always makes the same.
 */
export function messageIdOf(id: string): string {
  const digits = id.replace(/^att_/, '').replaceAll('-', '');
  if (/^[0-9a-f]{32}$/i.test(digits)) return digits.toUpperCase();
  return createHash('sha256').update(id).digest('hex').slice(0, 32).toUpperCase();
}
