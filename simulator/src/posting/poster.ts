/**
 * Posts webhooks as the providers do. First tries keep the order of their lane (a number, or one customer of it); a
 * retry goes aside and may be overtaken, as at every real provider. What waits is bounded: beyond the limit a webhook
 * is lost, and the ledger says so.
 */
import type { FaultBook, WebhookFault } from '../faults/fault-book.ts';
import type { Clock } from '../world/clock.ts';
import type { Ledger, LedgerFacts } from '../world/ledger.ts';
import type { Random } from '../world/random.ts';
import type { Settings } from '../world/settings.ts';
import { type GraphBody, mergeGraphBodies, writeLikeMeta } from './graph-body.ts';
import { Lanes } from './lanes.ts';
import type { PostClient } from './post-client.ts';
import type { PostAnswer, Posting } from './posting.ts';
import { answerTimeoutMs, retryDelayMs } from './retry.ts';

const CONCURRENT_POSTS = 32;
/** Webhooks that may wait for their first try. */
export const WAITING_LIMIT = 300_000;
/** Webhooks that may wait for a retry. */
export const RETRY_LIMIT = 50_000;

export interface PosterParts {
  readonly clock: Clock;
  readonly random: Random;
  readonly ledger: Ledger;
  readonly faults: FaultBook;
  readonly settings: Settings;
  readonly client: PostClient;
}

interface Job {
  readonly posting: Posting;
  readonly fault: string | null;
  readonly answered: (answer: PostAnswer) => void;
}

export interface Handle {
  /** The fault that holds it back, if any: then the answer may be long in coming. */
  readonly heldBy: string | null;
  /** The answer to the first try. */
  readonly answer: Promise<PostAnswer>;
}

const notPosted: PostAnswer = { status: null, body: '', contentType: '', error: 'not_posted', milliseconds: 0 };

export class Poster {
  readonly #parts: PosterParts;
  readonly #lanes: Lanes<Job>;
  readonly #timers = new Set<NodeJS.Timeout>();
  /** Postings that a `reorder` or `batch` fault holds, by number. */
  readonly #held = new Map<string, { fault: WebhookFault; jobs: Job[]; timer: NodeJS.Timeout }>();
  readonly #idle: (() => void)[] = [];
  #open = 0;
  #retries = 0;
  #isClosed = false;

  constructor(parts: PosterParts) {
    this.#parts = parts;
    this.#lanes = new Lanes<Job>(
      CONCURRENT_POSTS,
      (jobs) => this.#postFirst(jobs),
      (first, next, taken) => taken < parts.settings.batchUpTo && canMerge(first.posting, next.posting),
    );
  }

  get waiting(): number {
    return this.#lanes.waiting;
  }

  get retrying(): number {
    return this.#retries;
  }

  /** What is planned, waits, is being posted, or will be tried again; 0: nothing more comes by itself. */
  get open(): number {
    return this.#open;
  }

  /** Something will be posted, or is being posted; each call is ended by one of `ended`. */
  opened(): void {
    this.#open += 1;
  }

  ended(): void {
    this.#open -= 1;
    if (this.#open > 0) return;
    for (const resolve of this.#idle.splice(0)) resolve();
  }

  /** Resolves when nothing waits, is held back, is planned or will be tried again. */
  idle(): Promise<void> {
    if (this.#open === 0) return Promise.resolve();
    return new Promise((resolve) => this.#idle.push(resolve));
  }

  post(posting: Posting): Handle {
    const fault = this.#parts.faults.takeWebhookFault({
      provider: posting.number.provider,
      number: posting.number.number,
      operation: posting.operation,
      customer: posting.customer,
    });
    let answered: (answer: PostAnswer) => void = () => undefined;
    const answer = new Promise<PostAnswer>((resolve) => {
      answered = resolve;
    });
    const job: Job = { posting, fault: fault?.kind ?? null, answered };
    this.opened();
    if (fault) this.#misbehave(fault, job);
    else this.#pass(job);
    const isHeld = fault !== null && fault.kind !== 'duplicate' && fault.kind !== 'drop';
    return { heldBy: isHeld ? fault.kind : null, answer };
  }

  postLater(posting: Posting, milliseconds: number): void {
    this.opened();
    this.#later(milliseconds, () => {
      this.post(posting);
      this.ended();
    });
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    for (const timer of this.#timers) clearTimeout(timer);
    for (const { timer } of this.#held.values()) clearTimeout(timer);
    await this.#parts.client.close();
  }

  #misbehave(fault: WebhookFault, job: Job): void {
    switch (fault.kind) {
      case 'drop':
        this.#lose(job, 'dropped');
        return;
      case 'delay':
      case 'late_receipts':
        this.#later(fault.milliseconds, () => this.#enqueue(job));
        return;
      case 'duplicate':
        this.#duplicate(fault, job);
        return;
      case 'reorder':
      case 'batch':
        this.#hold(fault, job);
        return;
      default:
        fault.kind satisfies never;
    }
  }

  #duplicate(fault: WebhookFault, job: Job): void {
    const copies = Array.from({ length: fault.count }, () => ({ ...job, answered: () => undefined }));
    for (const _ of copies) this.opened();
    if (!fault.isConcurrent) {
      for (const each of [job, ...copies]) this.#enqueue(each);
      return;
    }
    for (const each of [job, ...copies]) void this.#postFirst([each]);
  }

  /** Nothing holds this one itself; but a held `reorder` lets it overtake, and then follows. */
  #pass(job: Job): void {
    const held = this.#held.get(job.posting.number.key);
    this.#enqueue(job);
    if (held?.fault.kind === 'reorder') this.#release(job.posting.number.key);
  }

  #hold(fault: WebhookFault, job: Job): void {
    const key = job.posting.number.key;
    const held = this.#held.get(key);
    if (held) held.jobs.push(job);
    else this.#held.set(key, { fault, jobs: [job], timer: setTimeout(() => this.#release(key), fault.milliseconds) });
    const wanted = fault.kind === 'reorder' ? 2 : fault.count;
    if ((held?.jobs.length ?? 1) >= wanted) this.#release(key);
  }

  /** Reordered ones go youngest first; a batch goes in one POST where the provider batches, else all at once. */
  #release(key: string): void {
    const held = this.#held.get(key);
    if (!held) return;
    clearTimeout(held.timer);
    this.#held.delete(key);
    if (held.fault.kind === 'reorder') {
      for (const job of held.jobs.reverse()) this.#enqueue(job);
      return;
    }
    const first = held.jobs[0];
    const areMergeable = first && held.jobs.every((job) => canMerge(first.posting, job.posting));
    if (areMergeable) void this.#postFirst(held.jobs);
    else for (const job of held.jobs) void this.#postFirst([job]);
  }

  #enqueue(job: Job): void {
    if (this.#lanes.waiting >= WAITING_LIMIT) this.#lose(job, 'too_many_waiting');
    else this.#lanes.push(laneOf(job.posting), job);
  }

  #lose(job: Job, code: string): void {
    this.#parts.ledger.add(this.#parts.clock.now(), { ...factsOf(job.posting), kind: 'lost', code });
    job.answered({ ...notPosted, error: code });
    this.ended();
  }

  async #postFirst(jobs: readonly Job[]): Promise<void> {
    const first = jobs[0];
    if (!first || this.#isClosed) return;
    const posting = jobs.length === 1 ? first.posting : mergedPosting(jobs.map((job) => job.posting));
    const answer = await this.#try(posting, 1, first.fault);
    for (const job of jobs) {
      job.posting.settled?.(answer);
      job.answered(answer);
      this.ended();
    }
  }

  async #try(posting: Posting, attempt: number, fault: string | null): Promise<PostAnswer> {
    const { clock, client } = this.#parts;
    const body = bytesOf(posting.body);
    const headers = { 'content-type': posting.contentType, ...posting.headers(body, clock.now()) };
    const answer = await client.post({ url: posting.url, headers, body, timeoutMs: answerTimeoutMs(posting) });
    if (this.#isClosed) return answer;
    this.#note(posting, body, {
      kind: 'webhook',
      status: answer.status,
      attempt,
      milliseconds: answer.milliseconds,
      ...(answer.error ? { code: answer.error } : {}),
      ...(fault ? { fault } : {}),
    });
    this.#planRetry(posting, attempt, answer);
    return answer;
  }

  /** Of several in one POST each by itself: the answer is the answer to each. The body lies with the first. */
  #note(posting: Posting, body: Buffer, what: Omit<LedgerFacts, 'provider' | 'number'>): void {
    const { clock, ledger } = this.#parts;
    const parts = partsOf(posting);
    const together = parts.length > 1 ? { together: parts.length } : {};
    for (const [index, part] of parts.entries()) {
      ledger.add(clock.now(), { ...factsOf(part), ...what, ...together }, index === 0 ? body : undefined);
    }
  }

  #planRetry(posting: Posting, attempt: number, answer: PostAnswer): void {
    const { random, settings } = this.#parts;
    const delayMs = retryDelayMs(posting, attempt, answer, random);
    if (delayMs === null) {
      const isGivenUp = answer.status === null || answer.status >= 300;
      if (isGivenUp) this.#giveUp(posting, 'given_up');
      return;
    }
    if (this.#retries >= RETRY_LIMIT) {
      this.#giveUp(posting, 'too_many_retries');
      return;
    }
    this.#retries += 1;
    this.opened();
    this.#later(delayMs * settings.retryTimeScale, () => void this.#retry(posting, attempt + 1));
  }

  async #retry(posting: Posting, attempt: number): Promise<void> {
    await this.#try(posting, attempt, null);
    this.#retries -= 1;
    this.ended();
  }

  #giveUp(posting: Posting, code: string): void {
    for (const part of partsOf(posting)) {
      this.#parts.ledger.add(this.#parts.clock.now(), { ...factsOf(part), kind: 'lost', code });
    }
  }

  #later(milliseconds: number, act: () => void): void {
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      if (!this.#isClosed) act();
    }, milliseconds);
    this.#timers.add(timer);
  }
}

function laneOf(posting: Posting): string {
  switch (posting.number.order) {
    case 'number':
      return posting.number.key;
    case 'customer':
      return `${posting.number.key} ${posting.customer}`;
    case 'none':
      return `${posting.number.key} ${posting.messageId} ${posting.what}`;
    default: {
      const never: never = posting.number.order;
      return never;
    }
  }
}

function canMerge(first: Posting, next: Posting): boolean {
  return !Buffer.isBuffer(first.body) && !Buffer.isBuffer(next.body) && first.url === next.url;
}

function mergedPosting(postings: readonly Posting[]): Posting {
  const bodies = postings.map((posting) => posting.body).filter((body): body is GraphBody => !Buffer.isBuffer(body));
  const first = postings[0]!;
  return { ...first, body: mergeGraphBodies(bodies), parts: postings };
}

function partsOf(posting: Posting): readonly Posting[] {
  return posting.parts ?? [posting];
}

function bytesOf(body: Buffer | GraphBody): Buffer {
  return Buffer.isBuffer(body) ? body : Buffer.from(writeLikeMeta(body), 'latin1');
}

function factsOf(posting: Posting) {
  return {
    provider: posting.number.provider,
    number: posting.number.number,
    customer: posting.customer,
    messageId: posting.messageId,
    what: posting.what,
    url: posting.url,
    ...(posting.correlation ? { correlation: posting.correlation } : {}),
  };
}
