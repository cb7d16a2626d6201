import type { Provider } from '@switchyard/contract';
import type { AccountFields } from '#channels';
import type { Clock, Log } from '#kernel';
import type { Engines, NoteChange, Sealer, Storage } from '#storage';
import type { AccountSummary } from './accounts.ts';
import type { ConnectionDeps } from './connection/apply-connection.ts';
import { openSecrets, tokenPlace } from './record/account-secrets.ts';
import type { AccountRow } from './record/account-store.ts';
import { presentAccount, webhookUrl } from './record/presentation.ts';

export interface AccountsDeps extends Pick<ConnectionDeps, 'comesBack' | 'returned'> {
  readonly storage: Storage;
  readonly engines: Pick<Engines, 'cache' | 'counters'>;
  readonly sealer: Sealer;
  /** What each provider's accounts need: its channel, or the like. */
  readonly channels: Readonly<Record<Provider, { readonly fields: AccountFields }>>;
  readonly publicUrl: string | undefined;
  readonly noteChange: NoteChange;
  readonly clock: Clock;
  readonly log: Log;
  /** How many accounts a workspace may have connected, where its own settings name no other number; 10 if absent. */
  readonly maxConnectedAccounts?: number;
  /** false: routings are not counted. Counted where it is left out. */
  readonly isCounting?: boolean;
}

export const defaultMaxConnectedAccounts = 10;

type Sealing = Pick<AccountsDeps, 'sealer'>;
type Presenting = Pick<AccountsDeps, 'sealer' | 'channels'>;

export function secretsOf({ sealer }: Sealing, row: AccountRow): Readonly<Record<string, string>> {
  return openSecrets(sealer, row.id, row.secretsSealed);
}

export function present(deps: Presenting, row: AccountRow): AccountSummary {
  return presentAccount(row, secretsOf(deps, row), deps.channels[row.provider].fields);
}

/** The URL that holds this token. */
export function urlOfToken(
  deps: Pick<AccountsDeps, 'sealer' | 'publicUrl'>,
  row: AccountRow,
  token: { readonly tokenId: string; readonly tokenSealed: Buffer },
): string {
  return webhookUrl(deps.publicUrl, row, deps.sealer.openText(token.tokenSealed, tokenPlace(token.tokenId)));
}
