import type { Provider } from '@switchyard/contract';
import type { Accounts, Companions, Pairing, ProviderWebhooks, ServingAccount } from '#accounts';
import type { Channel } from '#channels';
import type { Config } from '#config';
import type { Reconciliation, Span } from '#inbox';
import type { Log } from '#kernel';
import type { Monitoring } from '#monitoring';
import type { Privacy, Retention } from '#privacy';
import type { Engines, Resealed, Storage } from '#storage';
import type { People, Workspace, Workspaces } from '#workspaces';
import type { Confirm } from './confirm.ts';
import { CommandFailed } from './failures.ts';
import type { Output } from './output.ts';

/** The rooms that commands use; beside a running server or without one. */
export interface CliProduct {
  readonly config: Config;
  readonly storage: Storage;
  readonly engines: Engines;
  readonly workspaces: Workspaces;
  readonly people: People;
  readonly accounts: Accounts;
  readonly log: Log;
  readonly providerWebhooks: ProviderWebhooks;
  readonly pairing: Pairing;
  readonly companions: Companions;
  readonly monitoring: Monitoring;
  readonly privacy: Privacy;
  readonly retention: Retention;
  /** Asks the account's provider, and stores what was lost. */
  reconcile(account: ServingAccount, span: Span): Promise<Reconciliation>;
}

/** What `doctor` finds about one thing. */
export interface Finding {
  readonly name: string;
  readonly state: 'ok' | 'warning' | 'problem';
  readonly detail: string;
}

/** What `key rotate` did. */
export interface KeyRotation {
  /** By which everything is sealed now. */
  readonly keyId: string;
  /** false: an earlier rotation was finished, or the keys come from the settings. */
  readonly isNewKey: boolean;
  readonly isFromSettings: boolean;
  readonly resealed: Resealed;
}

/** Filled by main. */
export interface CliDeps {
  readonly output: Output;
  readonly confirm: Confirm;
  readonly version: string;
  readonly channels: Readonly<Record<Provider, Channel>>;
  readConfig(): Config;
  /** Opens what is needed, and closes it again whatever happens. */
  withProduct<T>(work: (product: CliProduct) => Promise<T>): Promise<T>;
  /** The owner's log-in on the database: for `db` commands, without migrating first. */
  withOwnerUrl<T>(work: (ownerUrl: string) => Promise<T>): Promise<T>;
  rotateKey(progress: (text: string) => void): Promise<KeyRotation>;
  /** Runs the server until it is told to stop. */
  start(options: { readonly isJson: boolean }): Promise<void>;
  /** Looks at the machine, the settings and the database; changes nothing. */
  examine(): Promise<readonly Finding[]>;
}

/** By id, prefixed id or slug; fails with the names there are. */
export async function loadWorkspace(product: CliProduct, idOrSlug: string): Promise<Workspace> {
  const found = await product.workspaces.find(idOrSlug);
  if (found) return found;
  const known = (await product.workspaces.list()).map((workspace) => workspace.slug).join(', ');
  throw new CommandFailed(
    `there is no workspace ${idOrSlug}${known ? `; there are: ${known}` : '; make one: switchyard workspace create NAME'}`,
  );
}
