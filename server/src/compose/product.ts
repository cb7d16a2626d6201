/**
 * The product without its doors to the world: every room made once, wired by hand. Commands use it beside a running
 * server; `serve` adds listeners and workers.
 */
import { hostname } from 'node:os';
import type { Provider } from '@switchyard/contract';
import {
  type Accounts,
  type Companions,
  createAccounts,
  createCompanions,
  createPairing,
  createProviderWebhooks,
  type Pairing,
  type ProviderWebhooks,
  type ServingAccount,
} from '#accounts';
import {
  type Channel,
  createReach,
  evolutionChannel,
  instagramChannel,
  metaChannel,
  twilioChannel,
  webjsChannel,
} from '#channels';
import { type CommerceDoor, createCommerce } from '#commerce';
import type { Config } from '#config';
import { type ConversationsDoor, type Correspondent, createConversations } from '#conversations';
import { createFlows, type FlowsDoor } from '#flows';
import { type CanaryDoor, createCanaryDoor } from '#gateway';
import {
  type AccountMessage,
  createDrain,
  createReceiver,
  inboxTopic,
  type NudgeableDrain,
  releaseParked,
} from '#inbox';
import type { Log } from '#kernel';
import { createCallOut, createMonitoring, createPressureWatch, type Monitoring, type PressureWatch } from '#monitoring';
import {
  createDispatcher,
  createOutbox,
  type Dispatcher,
  type DispatchSettings,
  type Outbox,
  type ProviderIdsKnown,
} from '#outbox';
import { createPipeline } from '#pipeline';
import { createPrivacy, createRetention, type Privacy, type Retention } from '#privacy';
import { createLiveBell, createPasswords, dropPartitionsBefore, type LiveBell } from '#storage';
import { createMailer, createPeople, createWorkspaces, type People, type Workspaces } from '#workspaces';
import { type Foundation, openFoundation } from './foundation.ts';
import { createNetworkOf, type NetworkOf } from './provider-network.ts';
import { askForAbsence } from './returned.ts';

export const channels = {
  meta: metaChannel,
  instagram: instagramChannel,
  twilio: twilioChannel,
  evolution: evolutionChannel,
  webjs: webjsChannel,
} as const satisfies Record<Provider, Channel>;

export interface Product {
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
  createDispatcher(): Dispatcher;
  createDrain(): NudgeableDrain;
  close(): Promise<void>;
}

export async function openProduct(config: Config, log: Log): Promise<Product> {
  const foundation = await openFoundation(config, log);
  const { storage, engines, sealer, clock } = foundation;
  const rules = { storage, passwords: createPasswords(), counters: engines.counters, clock };
  const workspaces = createWorkspaces(rules);
  const mailer = config.mail && createMailer(config.mail);
  const people = createPeople({ ...rules, sealer, mailer, log });
  const tenantsReach = createReach(config.outboundAllowed);
  const networkOf = createNetworkOf(config, tenantsReach);
  const liveBell = createLiveBell(engines.doorbell, log);
  const noteChange = liveBell.noteAfterCommit;
  const accounts = createAccounts({
    storage,
    engines,
    sealer,
    channels,
    publicUrl: config.publicUrl,
    maxConnectedAccounts: config.maxConnectedAccounts,
    // The outbox stands above and is made below.
    comesBack: (tx, accountId) => outbox.releaseHeld(tx, accountId),
    isCounting: config.isLedgerOn,
    noteChange,
    returned: (absence) => askForAbsence(engines, log, absence),
    clock,
    log,
  });
  const providerWebhooks = createProviderWebhooks({
    ...{ storage, sealer, accounts, channels, clock },
    networkOf,
  });
  const pairing = createPairing({
    storage,
    accounts,
    channels,
    networkOf,
    clock,
  });
  const companions = createCompanions({ storage, sealer, accounts });
  const conversations = createConversations();
  const commerce = createCommerce();
  const flows = createFlows();
  const outbox: Outbox = createOutbox({
    doorbell: engines.doorbell,
    // The outbox and the parked events need each other: the one below declares the need, it is filled here.
    providerIdsKnown: (tx, known) => release(tx, known),
    noteChange,
    log,
  });
  const release: ProviderIdsKnown = (tx, known) => releaseParked(tx, outbox.applyReceipt, known);
  const findServing = accounts.findServing;
  const pressure = createPressureWatch({ storage, dataFolder: foundation.owner.dataFolder, clock, log });
  const canaryReceiver = createReceiver({
    storage,
    log,
    stored: () => void engines.doorbell.ring(inboxTopic).catch(ignoreLostRing),
  });
  const canaryDoor = createCanaryDoor();
  const monitoring = createMonitoring({
    ...{ storage, engines, sealer, clock, log, accounts, channels, noteChange, publicUrl: config.publicUrl },
    store: (delivery) => canaryReceiver.receive(delivery),
    canaryDoor,
    appSecrets: { meta: config.metaAppSecrets, instagram: config.instagramAppSecrets },
    mailer,
    callOut: createCallOut(tenantsReach),
  });
  const { owner } = foundation;
  const privacy = createPrivacy({ storage, channels, workspaces, noteChange, clock, log });
  const retention = createRetention({
    ...{ storage, workspaces, clock, log },
    dropDays: (before, attemptsBefore) => dropPartitionsBefore({ ownerUrl: owner.ownerUrl }, before, attemptsBefore),
  });
  return {
    config,
    foundation,
    workspaces,
    people,
    accounts,
    providerWebhooks,
    pairing,
    companions,
    conversations,
    commerce,
    flows,
    outbox,
    privacy,
    retention,
    liveBell,
    pressure,
    monitoring,
    canaryDoor,
    networkOf,
    createDispatcher: () =>
      createDispatcher({
        storage,
        doorbell: engines.doorbell,
        counters: engines.counters,
        clock,
        random: Math.random,
        log,
        channels,
        findServing,
        providerIdsKnown: release,
        noteChange,
        heldLanes: () => pressure.held,
        networkOf,
        statusCallbackUrl,
        settings: dispatchSettings(config),
      }),
    createDrain: () =>
      createDrain({
        storage,
        engines,
        accounts,
        channels,
        effects: {
          openConversations: async (tx, messages, isNew) =>
            (await conversations.resolveWanted(tx, messages.map(correspondentOf), isNew)).map(
              (opened) => opened?.conversationId ?? null,
            ),
          applyReceipt: (tx, account, eventId, event) => outbox.applyReceipt(tx, account.accountId, eventId, event),
          applyAccountEvent: async (tx, account, event) => {
            await accounts.applyEvent(tx, account.accountId, event);
            await pairing.noteEvent(tx, account.accountId, event);
            if (event.type === 'opt') await conversations.applyOptEvent(tx, account, event, clock.now());
          },
          noteChange,
        },
        noteChange,
        pipeline: createPipeline({
          outbox,
          conversations,
          flows,
          commerce,
          clock,
          isTraced: config.isLedgerOn,
        }),
        findServing,
        loadConversations: conversations.loadConversations,
        capabilitiesOf: (account) => channels[account.provider].capabilities,
        releaseParked: release,
        applyReceipt: outbox.applyReceipt,
        clock,
        worker: `${hostname()} ${process.pid}`,
        leaseMs: config.leaseMs,
        log,
      }),
    async close() {
      await canaryReceiver.close();
      await accounts.close();
      await liveBell.close();
      await foundation.close();
    },
  };
}

/** The name in an echo is the account's owner's. */
function correspondentOf({ account, event }: AccountMessage): Correspondent {
  return {
    accountId: account.accountId,
    provider: account.provider,
    customer: event.customer,
    ...(event.direction === 'in' && event.profileName !== undefined ? { profileName: event.profileName } : {}),
    ...(event.groupId !== undefined ? { groupId: event.groupId } : {}),
  };
}

/** The workers poll: a ring that is lost costs half a second. */
function ignoreLostRing(): void {}

/** A marked message's lease outlasts any send, with room for the record. */
function dispatchSettings({ leaseMs, sendTimeoutMs, uncertainWaitMs }: Config): Partial<DispatchSettings> {
  return { leaseMs, sendingLeaseMs: sendTimeoutMs + Math.ceil(leaseMs / 2), uncertainWaitMs };
}

/** Twilio tells a message's fate at a URL of our choice: the account's webhook with our attempt id in it. */
function statusCallbackUrl(account: ServingAccount, attemptId: string): string | undefined {
  if (account.provider !== 'twilio' || !account.webhookUrl) return undefined;
  return `${account.webhookUrl}?attempt=${attemptId}`;
}
