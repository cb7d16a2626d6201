/** What handles events and sends messages, wired to the rooms that it works for. */
import { hostname } from 'node:os';
import type { ServingAccount } from '#accounts';
import type { Config } from '#config';
import type { Correspondent } from '#conversations';
import { type AccountMessage, createDrain, type NudgeableDrain } from '#inbox';
import { createDispatcher, type Dispatcher, type DispatchSettings, type ProviderIdsKnown } from '#outbox';
import { createPipeline } from '#pipeline';
import { channels } from './channels.ts';
import type { Rooms } from './rooms.ts';

export function dispatcherOf(rooms: Rooms, release: ProviderIdsKnown): Dispatcher {
  const { config, foundation, pressure, networkOf } = rooms;
  const { storage, engines, clock, log } = foundation;
  return createDispatcher({
    ...{ storage, doorbell: engines.doorbell, counters: engines.counters, clock, random: Math.random, log },
    channels,
    findServing: rooms.accounts.findServing,
    providerIdsKnown: release,
    noteChange: rooms.liveBell.noteAfterCommit,
    heldLanes: () => pressure.held,
    networkOf,
    statusCallbackUrl,
    settings: dispatchSettings(config),
  });
}

export function drainOf(rooms: Rooms, release: ProviderIdsKnown): NudgeableDrain {
  const { config, foundation, accounts, conversations, outbox } = rooms;
  const { storage, engines, clock, log } = foundation;
  const noteChange = rooms.liveBell.noteAfterCommit;
  return createDrain({
    ...{ storage, engines, accounts, channels, noteChange, clock, log },
    effects: effectsOf(rooms),
    pipeline: pipelineOf(rooms),
    findServing: accounts.findServing,
    loadConversations: conversations.loadConversations,
    capabilitiesOf: (account) => channels[account.provider].capabilities,
    releaseParked: release,
    applyReceipt: outbox.applyReceipt,
    worker: `${hostname()} ${process.pid}`,
    leaseMs: config.leaseMs,
  });
}

function pipelineOf({ config, foundation, outbox, conversations, flows, commerce }: Rooms) {
  const { clock } = foundation;
  return createPipeline({ outbox, conversations, flows, commerce, clock, isTraced: config.isLedgerOn });
}

/** What new events do in each room, in the transaction that makes them known. */
function effectsOf(rooms: Rooms): Parameters<typeof createDrain>[0]['effects'] {
  const { foundation, accounts, pairing, conversations, outbox, liveBell } = rooms;
  return {
    openConversations: async (tx, messages, isNew) =>
      (await conversations.resolveWanted(tx, messages.map(correspondentOf), isNew)).map(
        (opened) => opened?.conversationId ?? null,
      ),
    applyReceipt: (tx, account, eventId, event) => outbox.applyReceipt(tx, account.accountId, eventId, event),
    applyAccountEvent: async (tx, account, event) => {
      await accounts.applyEvent(tx, account.accountId, event);
      await pairing.noteEvent(tx, account.accountId, event);
      if (event.type === 'opt') await conversations.applyOptEvent(tx, account, event, foundation.clock.now());
    },
    noteChange: liveBell.noteAfterCommit,
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

/** A marked message's lease outlasts any send, with room for the record. */
function dispatchSettings({ leaseMs, sendTimeoutMs, uncertainWaitMs }: Config): Partial<DispatchSettings> {
  return { leaseMs, sendingLeaseMs: sendTimeoutMs + Math.ceil(leaseMs / 2), uncertainWaitMs };
}

/** Twilio tells a message's fate at a URL of our choice: the account's webhook with our attempt id in it. */
function statusCallbackUrl(account: ServingAccount, attemptId: string): string | undefined {
  if (account.provider !== 'twilio' || !account.webhookUrl) return undefined;
  return `${account.webhookUrl}?attempt=${attemptId}`;
}
