/**
 * The door of accounts: connected numbers and pages, their tokens and secrets, and who serves them.
 *
 * Routing (token, instance or provider id → account) and the opened secrets come from caches that are invalidated in
 * every process when an account changes: a known token costs no database query.
 */
import type {
  AccountId,
  Binding,
  ChannelName,
  Failure,
  InboundEvent,
  Provider,
  WorkspaceId,
} from '@switchyard/contract';
import type { Page, PageRequest, Result } from '#kernel';
import type { WorkspaceTx } from '#storage';
import type { ConnectionChange, ConnectionEvent } from './connection/apply-connection.ts';
import type { ConnectionAct, ConnectionStatus } from './connection/connection.ts';
import type { PastConnectionChange } from './connection/connection-store.ts';
import type { WebhookEvents } from './webhooks/webhook-events.ts';

export const routeKinds = [
  'token',
  'phone_number_id',
  'waba_id',
  'instagram_id',
  'twilio_address',
  'instance',
  'session',
  'challenge',
] as const;
export type RouteKind = (typeof routeKinds)[number];

/** An account as the walks need it. Secrets are open here: never log it, never send it out. */
export interface ServingAccount {
  readonly workspaceId: WorkspaceId;
  /** How the business is called, to its customers too. */
  readonly workspaceName: string;
  readonly accountId: AccountId;
  readonly provider: Provider;
  readonly channel: ChannelName;
  readonly name: string;
  readonly isActive: boolean;
  readonly isDeleted: boolean;
  readonly cutover: 'legacy' | 'shadow' | 'split' | 'switchyard';
  readonly cutoverShare: number;
  readonly settings: Readonly<Record<string, string>>;
  readonly secrets: Readonly<Record<string, string>>;
  /** What a part of a body may name as its account; `kind:value`. */
  readonly bindings: ReadonlySet<string>;
  readonly version: number;
  /** Its newest webhook URL, for receipts that a provider reports where it is told to. Holds the token. */
  readonly webhookUrl: string | null;
}

export type Routed =
  | { readonly kind: 'found'; readonly account: ServingAccount; readonly outcome: 'hit' | 'miss' }
  | { readonly kind: 'unknown'; readonly outcome: 'negative' | 'miss' };

export interface NewAccount {
  /** Kept from a migrated account; otherwise made here. */
  readonly id?: AccountId;
  /** An imported webhook token keeps its text; otherwise 32 random bytes as base64url. */
  readonly token?: string;
  readonly provider: Provider;
  readonly name?: string;
  readonly phoneNumber?: string;
  readonly settings: Readonly<Record<string, string>>;
  readonly secrets: Readonly<Record<string, string>>;
  /** Absent: not served yet. */
  readonly isActive?: boolean;
  /** Of its channel; the first one is it anyway. */
  readonly isPrimary?: boolean;
  readonly createdBy?: string;
  /** How the provider's customers see the business; empty text takes it away. */
  readonly businessName?: string;
  /** Merged by name; null takes one away. */
  readonly metadata?: Readonly<Record<string, MetadataValue>>;
  /** Names of the provider's; empty: those that we make use of. */
  readonly wantedWebhookEvents?: readonly string[];
  /** When a secret ends, by its name; null: not known to end. Setting a secret anew forgets its end. */
  readonly secretEnds?: Readonly<Record<string, Date | null>>;
}

export type MetadataValue = string | number | boolean | null;

/** What may be changed of an account. Its provider may not. */
export type AccountChange = Partial<Omit<NewAccount, 'id' | 'token' | 'provider' | 'isPrimary' | 'createdBy'>>;

/** An account as people see it: no secret in it. */
export interface AccountSummary {
  readonly id: AccountId;
  readonly workspaceId: WorkspaceId;
  readonly provider: Provider;
  readonly channel: ChannelName;
  readonly name: string;
  readonly phoneNumber: string | null;
  readonly connectionStatus: ConnectionStatus;
  readonly connectionError: string | null;
  readonly webhookStatus: 'inactive' | 'active' | 'error';
  readonly isPrimary: boolean;
  readonly isActive: boolean;
  readonly settings: Readonly<Record<string, string>>;
  /** Names of the secrets that are held. */
  readonly heldSecrets: readonly string[];
  readonly secretDates: readonly SecretDate[];
  readonly businessName: string | null;
  /** What teams keep here and what the provider told of the account, without codes to pair by. */
  readonly metadata: Readonly<Record<string, unknown>>;
  readonly webhookEvents: WebhookEvents;
  readonly webhookError: string | null;
  readonly connectionChangedAt: Date | null;
  readonly lastConnectedAt: Date | null;
  readonly lastActivityAt: Date | null;
  readonly lastWebhookAt: Date | null;
  readonly createdBy: string | null;
  readonly createdAt: Date;
  /** null: not removed. */
  readonly removedAt: Date | null;
}

export interface SecretDate {
  readonly name: string;
  readonly setAt: Date;
  readonly endsAt: Date | null;
}

export interface AccountListRequest extends PageRequest {
  /** Absent: those that are not removed. */
  readonly isRemoved?: boolean;
}

/** Made and given a token; the URL holds it. */
export interface MadeAccount {
  readonly account: AccountSummary;
  readonly token: string;
  readonly webhookUrl: string;
}

export interface TokenListing {
  readonly workspaceName: string;
  readonly account: AccountSummary;
  readonly tokenId: string;
  /** Path and, where PUBLIC_URL is known, scheme and host. Holds the token: show to who may see it. */
  readonly webhookUrl: string;
  readonly createdAt: Date;
  /** null: it is the one in use. */
  readonly retiresAt: Date | null;
  readonly replacedAt: Date | null;
  /** At most a minute or so behind. */
  readonly lastUsedAt: Date | null;
  /** It was replaced, and for three days nobody has used it: it may as well be retired. */
  readonly isQuiet: boolean;
  /** The last call that named the account by instance or provider id instead of a token. */
  readonly oldUrlHitAt: Date | null;
}

/** A token as it is shown to who may see it. */
export interface ShownToken {
  readonly token: string;
  readonly webhookUrl: string;
}

/** Runs in the transaction of an act, last: what must be one with it, such as its entry in the audit log. */
export type Alongside = (tx: WorkspaceTx, accountId: AccountId) => Promise<void>;

/** What people do to accounts, and the lists they do it from. */
export type AccountActs = Omit<
  Accounts,
  | 'alongside'
  | 'peekRoute'
  | 'route'
  | 'countRouting'
  | 'findServing'
  | 'listActive'
  | 'applyEvent'
  | 'noteWebhook'
  | 'noteRefusal'
  | 'forgetWorkspace'
  | 'flush'
  | 'lookUp'
  | 'close'
>;

export interface Accounts {
  /** The same acts, each with `also` in its transaction: a refused act runs neither, and one never stands without the other. */
  alongside(also: Alongside): AccountActs;
  /** Without waiting, if this process knows; undefined: ask `route`. No statement, no promise. */
  peekRoute(kind: RouteKind, key: string): ServingAccount | null | undefined;
  /** `key` is the token itself for `token` (hashed here), else the provider's id. Throws StorageUnavailable when it could not look. */
  route(kind: RouteKind, key: string): Promise<Routed>;
  /** As `route`, for people who ask where something leads: it does not count as a use of a token. */
  lookUp(kind: RouteKind, key: string): Promise<Routed>;
  /** Counts and logs one routing; flushed to `routing_counts` in the background. */
  countRouting(
    accountId: AccountId | null,
    workspaceId: WorkspaceId | null,
    kind: RouteKind,
    outcome: 'hit' | 'miss' | 'negative',
  ): void;
  findServing(workspaceId: WorkspaceId, accountId: AccountId): Promise<ServingAccount | null>;
  /** Across workspaces: those of these providers that are switched on, and not removed. */
  listActive(
    providers: readonly Provider[],
  ): Promise<readonly { readonly workspaceId: WorkspaceId; readonly accountId: AccountId }[]>;
  create(workspaceId: WorkspaceId, account: NewAccount): Promise<Result<MadeAccount, Failure>>;
  /** All that are not removed: primary ones first, then the newest. */
  list(workspaceId: WorkspaceId): Promise<readonly AccountSummary[]>;
  /** In the order of `list`. The cursor is of this list. */
  listPage(workspaceId: WorkspaceId, request: AccountListRequest): Promise<Page<AccountSummary>>;
  find(workspaceId: WorkspaceId, accountId: AccountId): Promise<AccountSummary | null>;
  /** Settings and secrets are merged by name; an empty text takes one away. */
  update(
    workspaceId: WorkspaceId,
    accountId: AccountId,
    change: AccountChange,
  ): Promise<Result<AccountSummary, Failure>>;
  setPrimary(workspaceId: WorkspaceId, accountId: AccountId): Promise<Result<AccountSummary, Failure>>;
  /** It can be restored; its tokens end and its ids are free. */
  remove(workspaceId: WorkspaceId, accountId: AccountId): Promise<Result<void, Failure>>;
  /** Disconnected and inactive, with a new token; refused where its number or ids have been taken meanwhile. */
  restore(workspaceId: WorkspaceId, accountId: AccountId): Promise<Result<MadeAccount, Failure>>;
  /** A person's act, in a transaction of its own; otherwise as `applyConnection`. */
  moveConnection(
    workspaceId: WorkspaceId,
    accountId: AccountId,
    wish: { readonly act: ConnectionAct; readonly actor: string; readonly reason?: string },
  ): Promise<Result<AccountSummary, Failure>>;
  /** Newest first. */
  listConnectionChanges(
    workspaceId: WorkspaceId,
    accountId: AccountId,
    limit: number,
  ): Promise<readonly PastConnectionChange[]>;
  /** What the provider says it sends us. `error`: why nothing can come, where that is plain; it shows as webhook status. */
  noteSubscription(
    workspaceId: WorkspaceId,
    accountId: AccountId,
    told: { readonly events: readonly string[]; readonly error?: string },
  ): Promise<Result<AccountSummary, Failure>>;
  /** Both tokens are valid for `tokenOverlapMs`. Refused while an earlier rotation's old token still is: two at most. */
  rotateToken(workspaceId: WorkspaceId, accountId: AccountId): Promise<Result<ShownToken, Failure>>;
  /** Ends a replaced token now. The one in use is refused. */
  retireToken(workspaceId: WorkspaceId, accountId: AccountId, tokenId: string): Promise<Result<void, Failure>>;
  /**
   * Within the overlap, and also when the old token was retired meanwhile: it is the one in use again, and the one that
   * had replaced it ends after an overlap of its own, since a provider may have been told of it.
   */
  undoRotation(workspaceId: WorkspaceId, accountId: AccountId): Promise<Result<ShownToken, Failure>>;
  listTokens(workspaceId: WorkspaceId | null): Promise<readonly TokenListing[]>;
  /** Connection, QR, template, quality: what an account event changes here. Runs in the caller's transaction. */
  applyEvent(tx: WorkspaceTx, accountId: AccountId, event: Extract<InboundEvent, { kind: 'account' }>): Promise<void>;
  /**
   * A person's act or a report moves the connection, in the caller's transaction: see `connection.ts`. Browsers hear of it
   * after the commit.
   */
  applyConnection(
    tx: WorkspaceTx,
    accountId: AccountId,
    event: ConnectionEvent,
  ): Promise<Result<ConnectionChange, Failure>>;
  /** A webhook that does not verify, by a token of the account or by its name. Collected; a run of them shows as webhook status `error` (`webhook-refusals.ts`). */
  noteRefusal(account: ServingAccount, by: 'token' | 'name', reason: string): void;
  /** An authentic delivery, now if no time is given: collected and written in the background. */
  noteWebhook(account: ServingAccount, at?: Date): void;
  /** The workspace is called otherwise now: what this and every other process knows of its accounts is read anew. */
  forgetWorkspace(workspaceId: WorkspaceId): Promise<void>;
  /** Writes what is collected, now instead of within seconds. */
  flush(): Promise<void>;
  /** Writes what is collected, stops timers. */
  close(): Promise<void>;
}

/** Ids of Meta's Graph are unique across their kinds: an entry may name a number where the account holds it as such. */
const graphKinds: ReadonlySet<string> = new Set(['phone_number_id', 'waba_id', 'instagram_id']);

/**
 * Is this part of a body bound to this account? True when it names no account at all. Each id it names must be this
 * account's, but for ids of a kind that the account does not hold (a Twilio messaging service has no sender of its own):
 * those are let pass if another one matches.
 */
export function isBoundTo(account: ServingAccount, bindings: readonly Binding[]): boolean {
  if (bindings.length === 0) return true;
  const held = [...account.bindings].map((binding) => splitBinding(binding));
  const isOurs = ({ kind, value }: Binding) =>
    held.some(
      (own) => own.value === value && (own.kind === kind || (graphKinds.has(kind) && graphKinds.has(own.kind))),
    );
  const isOfHeldKind = ({ kind }: Binding) => held.some((own) => own.kind === kind);
  return bindings.some(isOurs) && bindings.every((binding) => isOurs(binding) || !isOfHeldKind(binding));
}

function splitBinding(text: string): { readonly kind: string; readonly value: string } {
  const at = text.indexOf(':');
  return { kind: text.slice(0, at), value: text.slice(at + 1) };
}
