import type { AccountId, ConversationId, Failure, Provider, WorkspaceId } from '@switchyard/contract';
import type { ServingAccount } from '#accounts';
import type { Channel } from '#channels';
import type { Log } from '#kernel';
import { type Storage, StorageUnavailable } from '#storage';
import { judgeConnection } from '../gate/connection-hold.ts';
import { type GateDeps, noteReasons, passGate } from '../gate/gate-keeper.ts';
import type { AccountRate } from './account-rate.ts';
import type { Breakers } from './breakers.ts';
import { findOptOuts } from './consent-store.ts';
import { laneClass } from './limits.ts';
import { checkAccount, checkCapability, checkConsent, checkWindow, needsConsent } from './permit.ts';
import type { ClaimedMessage, Permit, PermittedMessage } from './walk.ts';

export interface PermitDeps {
  readonly storage: Storage;
  readonly log: Log;
  readonly channels: Readonly<Partial<Record<Provider, Channel>>>;
  findServing(workspaceId: WorkspaceId, accountId: AccountId): Promise<ServingAccount | null>;
  readonly rate: AccountRate;
  readonly breakers: Breakers;
  /** The gate of unofficial accounts. */
  readonly gate: GateDeps;
  /** Until the next look, at first and at most, where one failed. */
  readonly lookupRetryMs: number;
  readonly maxLookupRetryMs: number;
}

/**
 * Asks every rule about claimed messages of one account; one answer each, in their order. Never throws: where it could not
 * look, all of them are deferred, so that one account that cannot be looked at keeps no other's messages.
 */
export async function permit(deps: PermitDeps, messages: readonly ClaimedMessage[]): Promise<readonly Permit[]> {
  try {
    return await askRules(deps, messages);
  } catch (error) {
    return deferAll(deps, messages, error);
  }
}

async function askRules(deps: PermitDeps, messages: readonly ClaimedMessage[]): Promise<readonly Permit[]> {
  const optOuts = await loadOptOuts(deps.storage, messages);
  const permits = await Promise.all(
    messages.map((message) => permitOne(deps, message, optOuts.get(message.conversationId) ?? [])),
  );
  await noteReasons(deps.gate, messages, permits);
  return passGate(deps.gate, await limitRates(deps.rate, permits));
}

/** A database that is away passes, and could not take a reason; anything else is told, and asked again ever less often. */
async function deferAll(
  deps: PermitDeps,
  messages: readonly ClaimedMessage[],
  error: unknown,
): Promise<readonly Permit[]> {
  const { log, lookupRetryMs, maxLookupRetryMs } = deps;
  log.warn({ err: error, accountId: messages[0]?.accountId, messages: messages.length }, 'permits could not be given');
  if (error instanceof StorageUnavailable) return messages.map(() => ({ kind: 'deferred', waitMs: lookupRetryMs }));
  const permits = messages.map(({ ageMs }): Permit => {
    const waitMs = Math.max(lookupRetryMs, Math.min(maxLookupRetryMs, ageMs / 2));
    return { kind: 'deferred', waitMs, reason: notLookedAt };
  });
  await noteReasons(deps.gate, messages, permits).catch((untold: unknown) => {
    log.warn({ err: untold }, 'messages wait without their reason, until it can be written');
  });
  return permits;
}

const notLookedAt: Failure = {
  code: 'AccountNotReadable',
  detail: 'The account could not be looked at; this is tried again.',
  retry: { kind: 'later' },
  isCertain: true,
};

async function permitOne(deps: PermitDeps, claimed: ClaimedMessage, optedOut: readonly string[]): Promise<Permit> {
  const account = await deps.findServing(claimed.workspaceId, claimed.accountId);
  const refusal = checkAccount(account);
  const channel = account ? deps.channels[account.provider] : undefined;
  if (refusal || !account || !channel) return { kind: 'forbidden', failure: refusal ?? noChannel };
  const failure =
    checkCapability(claimed.content, channel.capabilities) ??
    checkWindow(claimed, channel.capabilities) ??
    checkConsent(claimed, optedOut);
  if (failure) return { kind: 'forbidden', failure };
  const connection = judgeConnection({ provider: account.provider, ageMs: claimed.ageMs }, claimed.connection);
  if (connection.kind === 'expired') return { kind: 'forbidden', failure: connection.failure };
  if (connection.kind === 'hold') return { kind: 'deferred', waitMs: connection.waitMs, reason: connection.reason };
  if (claimed.pairWaitMs > 0) return { kind: 'deferred', waitMs: claimed.pairWaitMs };
  const waitMs = await deps.breakers.ask(claimed.accountId);
  if (waitMs > 0) return { kind: 'deferred', waitMs };
  return { kind: 'permitted', message: { claimed, account, channel } };
}

const noChannel: Failure = {
  code: 'NoChannel',
  detail: "This server has no channel for the account's provider.",
  retry: { kind: 'never' },
  isCertain: true,
};

/** One question for each class of lanes, however many messages. */
async function limitRates(rate: AccountRate, permits: readonly Permit[]): Promise<readonly Permit[]> {
  const groups = Map.groupBy(permits.flatMap(permittedOf), ({ claimed }) => laneClass(claimed.lane));
  const waits = new Map<PermittedMessage, number>();
  const askOne = async (messages: readonly PermittedMessage[]) => {
    const { claimed, account, channel } = messages[0]!;
    const taken = await rate.take({
      accountId: claimed.accountId,
      lanes: laneClass(claimed.lane),
      messagesPerSecond: messagesPerSecond(account, channel),
      count: messages.length,
    });
    for (const [index, message] of messages.entries()) waits.set(message, taken[index]!);
  };
  await Promise.all([...groups.values()].map(askOne));
  return permits.map((one): Permit => {
    const waitMs = one.kind === 'permitted' ? waits.get(one.message)! : 0;
    return waitMs > 0 ? { kind: 'deferred', waitMs } : one;
  });
}

function permittedOf(one: Permit): PermittedMessage[] {
  return one.kind === 'permitted' ? [one.message] : [];
}

/** The account's own setting of that name where it has one: a number in coexistence is fixed at 20. */
function messagesPerSecond(account: ServingAccount, channel: Channel): number {
  const own = Number(account.settings.messagesPerSecond);
  return own > 0 ? own : channel.capabilities.messagesPerSecond;
}

async function loadOptOuts(
  storage: Storage,
  messages: readonly ClaimedMessage[],
): Promise<ReadonlyMap<ConversationId, readonly string[]>> {
  const begun = messages.filter(({ lane }) => needsConsent(lane));
  if (begun.length === 0) return new Map();
  const ids = begun.map((message) => message.conversationId);
  return storage.inWorkspace(begun[0]!.workspaceId, (tx) => findOptOuts(tx, ids));
}
