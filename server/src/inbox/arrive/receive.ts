import { crashPoint, type Log } from '#kernel';
import { inboxShards, type Storage, StorageUnavailable } from '#storage';
import type { Receiver, Settled, VerifiedDelivery } from '../inbox.ts';
import { type ArrivedDelivery, storeArrivals } from './arrivals-store.ts';

export interface ReceiveLimits {
  readonly maxBatchDeliveries: number;
  /** Gathering ends with as many as this, though more may be coming. */
  readonly enoughToBegin: number;
  readonly maxBatchBytes: number;
  /** Batches on their way at once: while the disk confirms one, the database reads the next. */
  readonly maxBatchesInFlight: number;
  /** A further batch is begun only for as many as this: small ones cost more than they gain. */
  readonly minFurtherBatch: number;
  /** What may wait for its batch; one more is refused with StorageUnavailable, so the provider tries again. */
  readonly maxWaitingDeliveries: number;
  readonly maxWaitingBytes: number;
}

const mebibyte = 1024 * 1024;

export const receiveLimits: ReceiveLimits = {
  maxBatchDeliveries: 256,
  enoughToBegin: 16,
  maxBatchBytes: 8 * mebibyte,
  maxBatchesInFlight: 2,
  minFurtherBatch: 16,
  maxWaitingDeliveries: 4_096,
  maxWaitingBytes: 64 * mebibyte,
};

export interface ReceiverOptions {
  readonly storage: Pick<Storage, 'gatewayStatement'>;
  readonly log: Log;
  readonly limits?: Partial<ReceiveLimits>;
  /** Called after each commit: a doorbell for the drain. Must not throw. */
  readonly stored?: (position: number) => void;
}

export function createReceiver(options: ReceiverOptions): Receiver {
  return new BatchingReceiver(options);
}

/** Which part of the inbox holds this account's deliveries: the same for ever, so that its order is kept. */
export function shardOf(delivery: Pick<VerifiedDelivery, 'accountId' | 'workspaceId'>): number {
  const id = delivery.accountId ?? delivery.workspaceId;
  return Number.parseInt(id.slice(-4), 16) % inboxShards;
}

interface Waiting extends ArrivedDelivery {
  readonly settled: Settled;
}

/** A batch on its way; `position` is what of it is committed so far, 0 for nothing. */
interface Flight {
  position: number;
  isOpen: boolean;
}

/**
 * Its states: `idle`; `gathering`, from the first arrival until a turn of the event loop has brought no further one or
 * there are enough, so that requests read from other sockets come along; then one to `maxBatchesInFlight` batches in
 * flight, while arrivals wait for the next. A batch as such costs Postgres about as much as 20 deliveries in it.
 */
class BatchingReceiver implements Receiver {
  readonly #options: ReceiverOptions;
  readonly #limits: ReceiveLimits;
  #waiting: Waiting[] = [];
  #waitingBytes = 0;
  #isGathering = false;
  #inFlight = 0;
  /** In the order in which they were begun, until they and all before them have landed. */
  #flights: Flight[] = [];
  #committedPosition = 0;
  #isClosed = false;
  #becameIdle: (() => void)[] = [];

  constructor(options: ReceiverOptions) {
    this.#options = options;
    this.#limits = { ...receiveLimits, ...options.limits };
  }

  get committedPosition(): number {
    return this.#committedPosition;
  }

  receive(delivery: VerifiedDelivery, afterPosition = this.#committedPosition): Promise<void> {
    return new Promise((resolve, reject) => {
      this.take(delivery, afterPosition, (failure) => (failure ? reject(failure) : resolve()));
    });
  }

  take(delivery: VerifiedDelivery, afterPosition: number, settled: Settled): void {
    const bytes = bytesOf(delivery);
    const why = this.#whyNot(bytes);
    if (why !== null) {
      settled(new StorageUnavailable(why));
      return;
    }
    this.#waiting.push({ delivery, shard: shardOf(delivery), afterPosition, settled });
    this.#waitingBytes += bytes;
    this.#gather();
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    if (this.#isGathering || this.#inFlight > 0) await new Promise<void>((resolve) => this.#becameIdle.push(resolve));
  }

  #whyNot(bytes: number): string | null {
    const { maxWaitingDeliveries, maxWaitingBytes } = this.#limits;
    if (this.#isClosed) return 'the inbox is closed';
    const isFull = this.#waiting.length >= maxWaitingDeliveries || this.#waitingBytes + bytes > maxWaitingBytes;
    return isFull ? 'too many deliveries wait to be stored' : null;
  }

  #gather(): void {
    if (this.#isGathering || !this.#mayBegin()) return;
    this.#isGathering = true;
    this.#gatherOn(0);
  }

  /**
   * Until a turn of the event loop has brought nothing more, or enough: under load that makes fewer, larger batches.
   * Waiting for twice as many was measured to save Postgres more, and to leave the processor idle for more than that.
   */
  #gatherOn(before: number): void {
    setImmediate(() => {
      const now = this.#waiting.length;
      if (now > before && now < this.#limits.enoughToBegin) {
        this.#gatherOn(now);
        return;
      }
      this.#isGathering = false;
      if (this.#mayBegin()) void this.#fly(this.#takeBatch());
    });
  }

  #mayBegin(): boolean {
    const { maxBatchesInFlight, minFurtherBatch } = this.#limits;
    if (this.#waiting.length === 0) return false;
    if (this.#inFlight === 0) return true;
    return this.#inFlight < maxBatchesInFlight && this.#waiting.length >= minFurtherBatch;
  }

  /** One batch after another, for as long as one may begin: what came meanwhile has waited long enough. */
  async #fly(first: readonly Waiting[]): Promise<void> {
    for (let batch = first; batch.length > 0; batch = this.#mayBegin() ? this.#takeBatch() : []) {
      this.#inFlight += 1;
      await this.#storeFlight(batch);
      this.#inFlight -= 1;
    }
    if (this.#inFlight > 0 || this.#isGathering) return;
    for (const resolve of this.#becameIdle.splice(0)) resolve();
  }

  async #storeFlight(batch: readonly Waiting[]): Promise<void> {
    const flight: Flight = { position: 0, isOpen: true };
    this.#flights.push(flight);
    await this.#storeBatch(batch, (position) => {
      flight.position = position;
      this.#land();
    });
    flight.isOpen = false;
    this.#land();
  }

  /** What a request may say that it came after: a position counts once every batch that was begun before it has landed. */
  #land(): void {
    for (let first = this.#flights[0]; first; first = this.#flights[0]) {
      this.#committedPosition = Math.max(this.#committedPosition, first.position);
      if (first.isOpen) return;
      this.#flights.shift();
    }
  }

  #takeBatch(): readonly Waiting[] {
    const { maxBatchDeliveries, maxBatchBytes } = this.#limits;
    let count = 0;
    let bytes = 0;
    for (const { delivery } of this.#waiting) {
      const more = bytes + bytesOf(delivery);
      if (count === maxBatchDeliveries || (count > 0 && more > maxBatchBytes)) break;
      bytes = more;
      count += 1;
    }
    const batch = this.#waiting.slice(0, count);
    this.#waiting = this.#waiting.slice(count);
    this.#waitingBytes -= bytes;
    return batch;
  }

  /**
   * Never throws: every member of the batch is told what became of it, after `landed` has been told its position (0 when
   * nothing was stored).
   */
  async #storeBatch(batch: readonly Waiting[], landed: (position: number) => void): Promise<void> {
    let position: number;
    try {
      crashPoint('inbox.before-insert');
      position = await storeArrivals(this.#options.storage, batch);
    } catch (error) {
      if (batch.length > 1 && !(error instanceof StorageUnavailable)) return this.#storeSingly(batch, landed, error);
      landed(0);
      const failure = error instanceof StorageUnavailable ? error : this.#refusalOf(batch[0]!, error);
      for (const one of batch) one.settled(failure);
      return;
    }
    crashPoint('inbox.committed');
    landed(position);
    for (const one of batch) one.settled(null);
    this.#options.stored?.(position);
  }

  /** The database refused the statement, so one row must be at fault; it must not take the others with it. */
  async #storeSingly(batch: readonly Waiting[], landed: (position: number) => void, error: unknown): Promise<void> {
    this.#options.log.error({ deliveries: batch.length, error: String(error) }, 'a batch was refused; storing singly');
    for (const one of batch) await this.#storeBatch([one], landed);
  }

  #refusalOf(one: Waiting, cause: unknown): StorageUnavailable {
    const { id, provider } = one.delivery;
    this.#options.log.error({ delivery: id, provider, error: String(cause) }, 'a delivery was refused by the database');
    return new StorageUnavailable('the delivery could not be stored', { cause });
  }
}

function bytesOf(delivery: VerifiedDelivery): number {
  return delivery.body.length + (delivery.secretsSealed?.length ?? 0);
}
