/**
 * The product without its doors to the world: every room made once, wired by hand. Commands use it beside a running
 * server; `serve` adds listeners and workers.
 */
import { createAccounts, createCompanions, createPairing, createProviderWebhooks } from '#accounts';
import { createReach } from '#channels';
import { createCommerce } from '#commerce';
import type { Config } from '#config';
import { createConversations } from '#conversations';
import { createFlows } from '#flows';
import { createCanaryDoor } from '#gateway';
import { createReceiver, inboxTopic, oweEveryLook, releaseParked } from '#inbox';
import type { Log } from '#kernel';
import { createCallOut, createMonitoring, createPressureWatch } from '#monitoring';
import { createOutbox, type Outbox, type ProviderIdsKnown } from '#outbox';
import { createPrivacy, createRetention } from '#privacy';
import { createLiveBell, createPasswords, dropPartitionsBefore } from '#storage';
import { createMailer, createPeople, createWorkspaces } from '#workspaces';
import { channels } from './channels.ts';
import { closeInTime } from './deadline.ts';
import { openFoundation } from './foundation.ts';
import { createNetworkOf } from './provider-network.ts';
import type { Product, Rooms } from './rooms.ts';
import { spanOfGap } from './upkeep/downtime.ts';
import { askable } from './upkeep/looks.ts';
import { oweAbsence } from './upkeep/returned.ts';
import { dispatcherOf, drainOf } from './workers.ts';

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
    returned: (tx, absence) => oweAbsence({ engines, log }, tx, absence),
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
    findKeptSince: () => retention.keptSince(),
    oweLooks: (tx, from, until) => oweEveryLook(tx, askable, spanOfGap(from, until)),
  });
  const { owner } = foundation;
  const privacy = createPrivacy({ storage, channels, companions, workspaces, noteChange, clock, log });
  const retention = createRetention({
    ...{ storage, workspaces, clock, log },
    dropDays: (before, attemptsBefore) => dropPartitionsBefore({ ownerUrl: owner.ownerUrl }, before, attemptsBefore),
  });
  const rooms: Rooms = {
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
  };
  return {
    ...rooms,
    createDispatcher: () => dispatcherOf(rooms, release),
    createDrain: () => drainOf(rooms, release),
    async close(deadline) {
      const closers = [
        ['canaries', () => canaryReceiver.close()],
        ['accounts', () => accounts.close()],
        ['live events', () => liveBell.close()],
      ] as const;
      await closeInTime(closers, deadline, log);
      await foundation.close(deadline);
    },
  };
}

/** The workers poll: a ring that is lost costs half a second. */
function ignoreLostRing(): void {}
