/**
 * The door of pairing: how a session on WhatsApp's web client comes to be linked with a phone.
 *
 * A pairing is idle until a person asks for it (`ask`). Then it waits for the first code, shows codes one after another as
 * the provider makes them, and ends when the phone has scanned one (the account is connected, the code is forgotten) or
 * when the last has expired; then a person may ask again. Codes come as account events of type `qr`, whoever brings them.
 */
import type { AccountEvent, AccountId, Failure, WorkspaceId } from '@switchyard/contract';
import type { Result } from '#kernel';
import type { WorkspaceTx } from '#storage';
import type { AccountSummary } from '../accounts.ts';
import type { ConnectionAct } from '../connection/connection.ts';

/** How long a code counts where its provider does not say; in seconds. */
export const defaultQrSeconds = 300;

export interface PairingSummary {
  readonly account: AccountSummary;
  /** `expired`: asked for, and the last code was not scanned in time. */
  readonly state: 'idle' | 'waiting' | 'showing' | 'expired' | 'connected';
  /** Only while `showing`. */
  readonly qr: {
    /** What the picture says; null where the provider gives the picture only. */
    readonly code: string | null;
    /** A data URL. */
    readonly image: string | null;
    /** To be typed on the phone instead of scanning. */
    readonly pairingCode: string | null;
    readonly expiresAt: Date;
  } | null;
  readonly codesShown: number;
  readonly askedAt: Date | null;
}

export interface Pairing {
  find(workspaceId: WorkspaceId, accountId: AccountId): Promise<Result<PairingSummary, Failure>>;
  /**
   * Asks the provider for a (new) code; `actor` is who wants it, for the history. Refused with `not_pairable` for providers that link no phone, with
   * `already_connected` while it is connected, and with the provider's own reason. A companion that cannot be reached
   * is no refusal: it asks us which sessions it should run.
   */
  regenerateQr(workspaceId: WorkspaceId, accountId: AccountId, actor: string): Promise<Result<PairingSummary, Failure>>;
  /** Ends the session at the provider: the phone is linked no longer. */
  logOut(workspaceId: WorkspaceId, accountId: AccountId): Promise<Result<PairingSummary, Failure>>;
  /**
   * After a person's act on the connection: a session that is disconnected is logged out at its provider too, one that is
   * to connect is started there. Nothing for providers without sessions. What the provider refuses stands beside the
   * account's state.
   */
  follow(workspaceId: WorkspaceId, accountId: AccountId, act: ConnectionAct, actor: string): Promise<void>;
  /** Asks the provider how the session is, and takes over what it says. */
  refresh(workspaceId: WorkspaceId, accountId: AccountId): Promise<Result<PairingSummary, Failure>>;
  /** What an account event means for the pairing. In the caller's transaction, beside `Accounts.applyEvent`. */
  noteEvent(tx: WorkspaceTx, accountId: AccountId, event: AccountEvent): Promise<void>;
  /** Both, in a transaction of its own: for events that come by another way than a webhook. */
  takeEvent(workspaceId: WorkspaceId, accountId: AccountId, event: AccountEvent): Promise<void>;
}
