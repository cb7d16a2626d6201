/** Every room's door as this process has it, and what makes its workers. */
import type { Accounts, Companions, Pairing, ProviderWebhooks } from '#accounts';
import type { CommerceDoor } from '#commerce';
import type { Config } from '#config';
import type { ConversationsDoor } from '#conversations';
import type { FlowsDoor } from '#flows';
import type { CanaryDoor } from '#gateway';
import type { NudgeableDrain } from '#inbox';
import type { Monitoring, PressureWatch } from '#monitoring';
import type { Dispatcher, Outbox } from '#outbox';
import type { Privacy, Retention } from '#privacy';
import type { LiveBell } from '#storage';
import type { People, Workspaces } from '#workspaces';
import type { Deadline } from './deadline.ts';
import type { Foundation } from './foundation.ts';
import type { NetworkOf } from './provider-network.ts';

export interface Rooms {
  readonly config: Config;
  readonly foundation: Foundation;
  readonly workspaces: Workspaces;
  readonly people: People;
  readonly accounts: Accounts;
  readonly providerWebhooks: ProviderWebhooks;
  readonly pairing: Pairing;
  readonly companions: Companions;
  readonly conversations: ConversationsDoor;
  readonly commerce: CommerceDoor;
  readonly flows: FlowsDoor;
  readonly outbox: Outbox;
  readonly privacy: Privacy;
  readonly retention: Retention;
  readonly liveBell: LiveBell;
  readonly pressure: PressureWatch;
  readonly monitoring: Monitoring;
  /** Opened by whoever listens. */
  readonly canaryDoor: CanaryDoor;
  readonly networkOf: NetworkOf;
}

export interface Product extends Rooms {
  createDispatcher(): Dispatcher;
  createDrain(): NudgeableDrain;
  /** With a deadline, what is still under way by then is left behind. */
  close(deadline?: Deadline): Promise<void>;
}
