import type { Provider } from '@switchyard/contract';
import type { Accounts } from '#accounts';
import type { Capabilities } from '#channels';
import type { ConversationsDoor } from '#conversations';
import type { Clock, Log } from '#kernel';
import type { OutboxDoor } from '#outbox';
import type { Engines, Storage } from '#storage';
import type { Workspaces } from '#workspaces';

/** What the interface stands on; filled by compose. */
export interface ApiDeps {
  readonly storage: Storage;
  readonly engines: Engines;
  readonly workspaces: Workspaces;
  readonly accounts: Accounts;
  readonly conversations: ConversationsDoor;
  readonly outbox: OutboxDoor;
  readonly capabilitiesOf: (provider: Provider) => Capabilities;
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
