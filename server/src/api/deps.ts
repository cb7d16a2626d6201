import type { Provider } from '@switchyard/contract';
import type { Accounts, Companions, Pairing, ProviderWebhooks } from '#accounts';
import type { AccountFields, Capabilities } from '#channels';
import type { CommerceDoor } from '#commerce';
import type { ConversationsDoor } from '#conversations';
import type { FlowsDoor } from '#flows';
import type { Clock, Log } from '#kernel';
import type { Monitoring } from '#monitoring';
import type { OutboxDoor } from '#outbox';
import type { Privacy, Retention } from '#privacy';
import type { Engines, NoteChange, Sealer, Storage } from '#storage';
import type { People, Workspaces } from '#workspaces';

/** What the interface stands on; filled by compose. */
export interface ApiDeps {
  readonly storage: Storage;
  readonly engines: Engines;
  /** Kept answers hold secrets that are shown once: they lie sealed. */
  readonly sealer: Sealer;
  readonly workspaces: Workspaces;
  readonly people: People;
  readonly accounts: Accounts;
  readonly providerWebhooks: ProviderWebhooks;
  readonly pairing: Pairing;
  readonly companions: Companions;
  readonly conversations: ConversationsDoor;
  readonly outbox: OutboxDoor;
  readonly commerce: CommerceDoor;
  readonly flows: FlowsDoor;
  readonly privacy: Privacy;
  readonly retention: Retention;
  /** Asks the workers for upkeep by its name, at once; what is asked twice under one id while it waits is done once. */
  readonly upkeep: (name: string, id: string, payload: unknown) => Promise<void>;
  readonly capabilitiesOf: (provider: Provider) => Capabilities;
  readonly fieldsOf: (provider: Provider) => AccountFields;
  readonly noteChange: NoteChange;
  readonly monitoring: Monitoring;
  /** Is the server pressed so hard that reads of many rows must wait for messages? */
  readonly isSlowingReads: () => boolean;
  readonly clock: Clock;
  readonly log: Log;
  readonly version: string;
  readonly publicUrl: string | undefined;
  readonly isProxyTrusted: boolean;
  /** Folder of the built console; undefined: a page says how to build it. */
  readonly consoleFolder: string | undefined;
  /** Are the parts that this process runs able to work? Names of those that are not. */
  readonly unready: () => Promise<readonly string[]>;
  /** The metrics page, in Prometheus' text form. */
  readonly metrics: () => Promise<string>;
}
