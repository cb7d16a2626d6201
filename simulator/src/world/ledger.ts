/**
 * What was taken and what was posted, in order, never changed: the third witness of every fault test. A ring of
 * `limit` entries with running counters; `since` is a sequence number, so a reader pages without missing any. The
 * request's own text is kept for the newest `REQUEST_LIMIT` only.
 */
import type { Provider } from './number.ts';

export const LEDGER_LIMIT = 200_000;
const REQUEST_LIMIT = 5_000;
const REQUEST_TEXT_LIMIT = 16_384;

/**
 * `send`: accepted; `refusal`: a send not accepted; `repeat`: a send we had already (webjs); `read`: marked as read;
 * `call`: any other call of a provider's API; `webhook`: one try to post one; `lost`: a webhook given up or never tried.
 */
export const ledgerKinds = ['send', 'refusal', 'repeat', 'read', 'call', 'webhook', 'lost'] as const;
export type LedgerKind = (typeof ledgerKinds)[number];

export interface LedgerFacts {
  readonly kind: LedgerKind;
  readonly provider: Provider;
  readonly number: string;
  /** The customer's address, where there is one. */
  readonly customer?: string;
  /** The provider's message id. */
  readonly messageId?: string;
  /** What the sender sent along to recognise it by (attempt id). */
  readonly correlation?: string;
  /** Message type, status or event name. */
  readonly what?: string;
  /** Text that a person would read. */
  readonly text?: string;
  /** HTTP status answered (to a send) or received (to a webhook); null where no answer came. */
  readonly status?: number | null;
  /** Provider's error code, or why a webhook had no answer. */
  readonly code?: string;
  readonly fault?: string;
  readonly attempt?: number;
  /** Webhooks that went in this POST, where there was more than this one. */
  readonly together?: number;
  readonly milliseconds?: number;
  readonly url?: string;
}

export interface LedgerEntry extends LedgerFacts {
  readonly seq: number;
  /** ISO 8601 UTC. */
  readonly at: string;
  readonly request?: string;
}

interface Slot {
  readonly seq: number;
  readonly atMs: number;
  readonly facts: LedgerFacts;
  request: string | undefined;
}

export interface LedgerQuery {
  readonly since: number;
  readonly limit: number;
  readonly provider?: string;
  readonly number?: string;
  readonly kind?: string;
  readonly customer?: string;
}

export class Ledger {
  readonly #slots: Slot[] = [];
  readonly #limit: number;
  readonly #counts = new Map<string, number>();
  #first = 1;
  #next = 1;
  #onEntry: ((entry: LedgerEntry) => void) | null = null;

  constructor(limit: number = LEDGER_LIMIT) {
    this.#limit = limit;
  }

  /** Called for each entry, as long as someone looks (the phone page). */
  watch(listener: ((entry: LedgerEntry) => void) | null): void {
    this.#onEntry = listener;
  }

  add(atMs: number, facts: LedgerFacts, request?: string | Buffer): void {
    const slot: Slot = { seq: this.#next, atMs, facts, request: requestText(request) };
    this.#slots[slot.seq % this.#limit] = slot;
    this.#dropRequest(slot.seq - REQUEST_LIMIT);
    this.#next += 1;
    const counter = `${facts.provider} ${facts.kind}`;
    this.#counts.set(counter, (this.#counts.get(counter) ?? 0) + 1);
    this.#onEntry?.(present(slot));
  }

  read(query: LedgerQuery): { entries: LedgerEntry[]; next: number; forgotten: number } {
    const oldest = this.#oldest();
    const entries: LedgerEntry[] = [];
    let seq = Math.max(query.since + 1, oldest);
    for (; seq < this.#next && entries.length < query.limit; seq += 1) {
      const slot = this.#slots[seq % this.#limit];
      if (slot && slot.seq === seq && isWanted(slot.facts, query)) entries.push(present(slot));
    }
    return { entries, next: seq - 1, forgotten: Math.max(0, oldest - 1 - query.since) };
  }

  /** `{meta: {send: 3, webhook: 9}}`, since the start or the last `clear`. */
  counts(): Record<string, Record<string, number>> {
    const table: Record<string, Record<string, number>> = {};
    for (const [counter, count] of this.#counts) {
      const [provider = '', kind = ''] = counter.split(' ');
      table[provider] = { ...table[provider], [kind]: count };
    }
    return table;
  }

  get size(): number {
    return this.#next - this.#oldest();
  }

  /** Forgets the entries and the counts; the sequence goes on, so that no reader mistakes new for old. */
  clear(): void {
    this.#slots.length = 0;
    this.#first = this.#next;
    this.#counts.clear();
  }

  #oldest(): number {
    return Math.max(this.#first, this.#next - this.#limit);
  }

  #dropRequest(seq: number): void {
    const slot = seq > 0 ? this.#slots[seq % this.#limit] : undefined;
    if (slot?.seq === seq) slot.request = undefined;
  }
}

function isWanted(facts: LedgerFacts, query: LedgerQuery): boolean {
  if (query.provider && facts.provider !== query.provider) return false;
  if (query.number && facts.number !== query.number) return false;
  if (query.customer && facts.customer !== query.customer) return false;
  return !query.kind || facts.kind === query.kind;
}

function present(slot: Slot): LedgerEntry {
  const { seq, atMs, facts, request } = slot;
  return { seq, at: new Date(atMs).toISOString(), ...facts, ...(request === undefined ? {} : { request }) };
}

/** A copy: a body is a view of the connection's whole read buffer, which keeping the view would keep. */
function requestText(request: string | Buffer | undefined): string | undefined {
  if (!Buffer.isBuffer(request)) return request?.slice(0, REQUEST_TEXT_LIMIT);
  return request.toString('utf8', 0, REQUEST_TEXT_LIMIT);
}
