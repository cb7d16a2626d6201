/**
 * The door of the inbox: store a delivery once, then drain (claim → normalise → lock → pipeline → settle), replay.
 */
import type { AccountId, DeliveryId, Provider, WorkspaceId } from '@switchyard/contract';
import type { StorageUnavailable } from '#storage';

/** A request that passed verification, ready to be stored. Secret values are already out of `body` and `headers`. */
export interface VerifiedDelivery {
  readonly id: DeliveryId;
  readonly workspaceId: WorkspaceId;
  /** null: an app-level shared route, whose events are routed one by one. */
  readonly accountId: AccountId | null;
  readonly provider: Provider;
  readonly routeKind: string;
  readonly method: string;
  readonly target: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
  readonly secretsSealed: Buffer | null;
  readonly isAuthenticated: boolean;
  readonly isTest: boolean;
  readonly receivedAt: Date;
}

export type Settled = (failure: StorageUnavailable | null) => void;

export interface Receiver {
  /**
   * Resolves after the commit of the batch that holds this delivery; rejects with StorageUnavailable when it could not
   * be stored (the gateway answers 503). Few batches are in flight at a time; requests that arrive meanwhile form the next.
   * `afterPosition`: `committedPosition` when the request began to arrive; left out, as it is now.
   */
  receive(delivery: VerifiedDelivery, afterPosition?: number): Promise<void>;
  /**
   * As `receive`, without a promise for each delivery: `settled` is called once, with null after the commit, else with
   * what `receive` rejects with; perhaps before this returns. It must not throw: what it throws, the batch would pay for.
   */
  take(delivery: VerifiedDelivery, afterPosition: number, settled: Settled): void;
  /** The highest position that this process has committed: what was answered before a request that arrives now. */
  readonly committedPosition: number;
  close(): Promise<void>;
}

export interface Drain {
  start(): void;
  stop(graceMs: number): Promise<void>;
}
