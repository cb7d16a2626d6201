/**
 * The door of the companion: a process of its own that runs sessions on WhatsApp's web client for accounts of `webjs`.
 *
 * One session runs on one machine only. A companion takes a lease on an account; its fence (a number that grows with each
 * new holder) goes with everything that it writes, and what an older holder writes is refused. A holder that dies loses
 * its lease by time, and another takes over with the session state that lies sealed here.
 */
import type { AccountId, CompanionKeyId, WorkspaceId } from '@switchyard/contract';
import type { WorkspaceTx } from '#storage';
import type { AccountSummary } from '../accounts.ts';

export const companionLimits = {
  minLeaseMs: 1_000,
  maxLeaseMs: 300_000,
  maxKeysTried: 50,
  maxStateNames: 1_000,
  maxStateNameLength: 300,
  maxStateValueLength: 512 * 1024,
} as const;

/** The workspace whose accounts a caller may see; null: every workspace's (a key of the operator's). */
export type CompanionScope = WorkspaceId | null;

export interface CompanionKey {
  readonly id: CompanionKeyId;
  readonly name: string;
  readonly createdAt: Date;
  readonly lastUsedAt: Date | null;
  readonly revokedAt: Date | null;
}

/** Holds the secret: never log it, never send it out. */
export interface OpenCompanionKey {
  readonly id: CompanionKeyId;
  readonly workspaceId: WorkspaceId;
  readonly scope: CompanionScope;
  readonly secret: string;
}

export interface CompanionAccount extends AccountSummary {
  readonly session: string;
  /** Grows with each request for a new QR code. */
  readonly generation: number;
  readonly leasedUntil: Date | null;
}

/** Of an account, as they are now: they may change while a lease is held. */
export interface LeaseKeys {
  /** Path or URL where this session's events go; holds the token. */
  readonly webhookUrl: string;
  readonly webhookKey: string;
  /** What the server will show as a bearer token when it sends. */
  readonly apiKey: string | null;
}

export interface Lease extends LeaseKeys {
  readonly fence: number;
  readonly leaseMs: number;
}

export interface LeaseWish {
  readonly holder: string;
  readonly leaseMs: number;
  /** Where this companion takes sends. Believed of the operator's companions only. */
  readonly url?: string;
}

export type RenewalAnswer =
  | { readonly kind: 'renewed'; readonly keys: LeaseKeys }
  /** Another holds it. */
  | { readonly kind: 'lost' }
  /** Removed, or has no webhook any more. */
  | { readonly kind: 'missing' };

export type LeaseAnswer =
  | { readonly kind: 'leased'; readonly lease: Lease }
  | { readonly kind: 'held'; readonly until: Date }
  | { readonly kind: 'missing' };

/** null takes the value away. */
export type StateChanges = Readonly<Record<string, string | null>>;

export interface Companions {
  createKey(workspaceId: WorkspaceId, name: string): Promise<{ readonly id: CompanionKeyId; readonly secret: string }>;
  listKeys(workspaceId: WorkspaceId): Promise<readonly CompanionKey[]>;
  revokeKey(workspaceId: WorkspaceId, id: CompanionKeyId): Promise<boolean>;
  /** null: unknown or revoked. Throws StorageUnavailable when it could not look. */
  findKey(id: CompanionKeyId): Promise<OpenCompanionKey | null>;
  /** For the older signature, which names no key: the newest that are valid. */
  listOpenKeys(): Promise<readonly OpenCompanionKey[]>;
  noteKeyUsed(key: OpenCompanionKey): Promise<void>;

  /** Accounts whose sessions should run, by workspace and id. */
  listActive(scope: CompanionScope): Promise<readonly CompanionAccount[]>;
  /** null: missing, removed, of another provider or of another workspace: nobody can tell which. */
  find(scope: CompanionScope, accountId: AccountId): Promise<CompanionAccount | null>;
  /** Any account of the scope: the older routes speak of every provider's. */
  findAny(scope: CompanionScope, accountId: AccountId): Promise<AccountSummary | null>;

  takeLease(scope: CompanionScope, accountId: AccountId, wish: LeaseWish): Promise<LeaseAnswer>;
  /** With the keys of now, so that a change of them reaches the holder within one renewal. */
  renewLease(account: AccountSummary, holder: string, fence: number, leaseMs: number): Promise<RenewalAnswer>;
  giveBackLease(account: AccountSummary, holder: string, fence: number): Promise<void>;
  /** Is this the newest fence? It may have run out; nobody has taken it since. */
  isFenceCurrent(account: AccountSummary, fence: number): Promise<boolean>;

  readState(account: AccountSummary, names: readonly string[]): Promise<Readonly<Record<string, string>>>;
  /** All or nothing. False: the fence is an older one, and nothing was written. */
  writeState(account: AccountSummary, fence: number, changes: StateChanges): Promise<boolean>;
  /** Forgets the whole state: the phone has unlinked us, and a new code is needed. */
  clearState(account: AccountSummary, fence: number): Promise<boolean>;
  /**
   * Takes what the states of the workspace's sessions keep under these people's numbers and LIDs, in the caller's transaction;
   * gives how many values. A session that runs goes on: it begins anew with whom it has forgotten.
   */
  forgetPeople(tx: WorkspaceTx, identityValues: readonly string[]): Promise<number>;
}
