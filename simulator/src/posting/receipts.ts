/**
 * Receipts of what was accepted: sent, delivered, read, each after its delay. A customer whose phone is off (phone
 * page) gets `sent` only; the rest follows when the phone is on again.
 */
import type { ReceiptStatus, SentMessage } from '../world/stand.ts';
import type { World } from '../world/world.ts';
import type { PostAnswer } from './posting.ts';

/** Messages kept for customers whose phones are off. */
const OFFLINE_LIMIT = 10_000;

const ticks = {
  sent: 'sent',
  delivered: 'delivered',
  read: 'read',
  played: 'read',
  failed: 'failed',
  deleted: 'failed',
} as const satisfies Record<ReceiptStatus, string>;

export class Receipts {
  readonly #world: World;
  readonly #offline: SentMessage[] = [];

  constructor(world: World) {
    this.#world = world;
  }

  /** Plans the receipts of an accepted message; `failure` is the provider's code where it fails after acceptance. */
  plan(sent: SentMessage, failure: string | null): void {
    if (failure !== null) {
      this.#later(sent.number.receiptDelaysMs.sent, () => void this.post(sent, 'failed', failure));
      return;
    }
    if (!sent.number.autoReceipts) return;
    this.#later(sent.number.receiptDelaysMs.sent, () => void this.post(sent, 'sent', null));
    this.#planArrival(sent);
  }

  /** All receipts at once, before the sender has its answer; resolves when the first was answered. */
  async postFirst(sent: SentMessage): Promise<void> {
    const first = this.post(sent, 'sent', null);
    void this.post(sent, 'delivered', null);
    void this.post(sent, 'read', null);
    await first;
  }

  /** Posts one receipt now. Null where this provider has none such. */
  post(sent: SentMessage, status: ReceiptStatus, errorCode: string | null): Promise<PostAnswer> | null {
    const { stands, poster, threads } = this.#world;
    const note = errorCode ?? undefined;
    threads.tick(sent.number.key, sent.customer.key, sent.messageId, ticks[status], note);
    const posting = stands[sent.number.provider].receipt(this.#world, sent, status, errorCode);
    return posting ? poster.post(posting).answer : null;
  }

  /** The customer's phone is on again: what waited is delivered and read. */
  comeOnline(numberKey: string, customer: string): void {
    const isTheirs = (sent: SentMessage) => sent.number.key === numberKey && sent.customer.key === customer;
    const theirs = this.#offline.filter(isTheirs);
    for (const sent of theirs) {
      this.#offline.splice(this.#offline.indexOf(sent), 1);
      this.#planArrival(sent);
    }
  }

  #planArrival(sent: SentMessage): void {
    const { delivered, read } = sent.number.receiptDelaysMs;
    if (sent.number.offline.has(sent.customer.key)) {
      if (this.#offline.length < OFFLINE_LIMIT) this.#offline.push(sent);
      return;
    }
    this.#later(delivered, () => void this.post(sent, 'delivered', null));
    this.#later(read, () => void this.post(sent, 'read', null));
  }

  /** What comes of a receipt is in the ledger; nobody waits for it here. */
  #later(milliseconds: number, act: () => unknown): void {
    const { poster } = this.#world;
    poster.opened();
    setTimeout(() => {
      act();
      poster.ended();
    }, milliseconds).unref();
  }
}
