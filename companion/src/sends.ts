/**
 * Sends of one session, each id once: a repeat of the server's gets the answer of the first. A send first fetches its file,
 * beside the others; then it takes its turn, which is over when its time is, so that nothing of one send stops the next.
 */
import { createHash } from 'node:crypto';
import type { OutboundContent } from '@switchyard/contract';
import type { WithFile } from './media-client.ts';
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

export interface SendsParts {
  readonly nowMs: () => number;
  /** Whose sends these are. */
  readonly session: string;
  readonly withFile: WithFile;
  /** How long a turn may take: then the next one begins, and what became of this one is not known. */
  readonly turnMs: number;
}

export const turnMs = 10_000;

export class Sends {
  readonly #parts: SendsParts;
  readonly #answers = new Map<string, Promise<Sent>>();
  #last: Promise<unknown> = Promise.resolve();

  constructor(parts: SendsParts) {
    this.#parts = parts;
  }

  /** Throws what the client throws. What surely was not sent may be tried again under its id. */
  send(client: WebClient, request: SendRequest): Promise<Sent> {
    const known = this.#answers.get(request.id);
    if (known) return known;
    const sent = this.#sendOnce(client, request);
    this.#remember(request.id, sent);
    return sent;
  }

  async #sendOnce(client: WebClient, { id, ...sending }: SendRequest): Promise<Sent> {
    const { nowMs, withFile, session } = this.#parts;
    const sendWith = (given: { readonly file?: Buffer }) =>
      this.#inTurn(() => client.send({ ...sending, ...given, messageId: messageIdOf(id) }));
    try {
      const url = addressOf(sending.content);
      const { messageId } =
        url === null ? await sendWith({}) : await withFile({ url, session }, (file) => sendWith({ file }));
      return { messageId, timestamp: nowMs() };
    } catch (error) {
      if (error instanceof NotSent) this.#answers.delete(id);
      throw error;
    }
  }

  /** One after another: the order of asking is the order of sending, but for files, which take their turn once they are here. */
  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const bounded = () => within(this.#parts.turnMs, work());
    const turn = this.#last.then(bounded, bounded);
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

/** Of a file whose bytes did not come along; null where there is none to fetch. */
function addressOf(content: OutboundContent): string | null {
  if (!('media' in content) || content.media.base64) return null;
  return content.media.url ?? null;
}

/** Its end is all that is waited for: a library that is asked cannot be called back. */
async function within<T>(ms: number, work: Promise<T>): Promise<T> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => late.reject(new Error(`no answer of the library within ${ms} ms`)), ms);
  try {
    return await Promise.race([work, late.promise]);
  } finally {
    clearTimeout(timer);
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
