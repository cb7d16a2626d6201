import type { AccountId, ConversationId, Failure, Provider, WorkspaceId } from '@switchyard/contract';
import type { ServingAccount } from '#accounts';
import type { Channel } from '#channels';
import type { Storage } from '#storage';
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
  readonly channels: Readonly<Partial<Record<Provider, Channel>>>;
  findServing(workspaceId: WorkspaceId, accountId: AccountId): Promise<ServingAccount | null>;
  readonly rate: AccountRate;
  readonly breakers: Breakers;
  /** The gate of unofficial accounts. */
  readonly gate: GateDeps;
}

/** Asks every rule about a batch of claimed messages; one answer each, in their order. Throws when it could not look. */
export async function permit(deps: PermitDeps, batch: readonly ClaimedMessage[]): Promise<readonly Permit[]> {
  const optOuts = await loadOptOuts(deps.storage, batch);
  const permits = await Promise.all(
    batch.map((message) => permitOne(deps, message, optOuts.get(message.conversationId) ?? [])),
  );
  await noteReasons(deps.gate, batch, permits);
  return passGate(deps.gate, await limitRates(deps.rate, permits));
}

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

/** One question for each account and class of lanes, however many messages. */
async function limitRates(rate: AccountRate, permits: readonly Permit[]): Promise<readonly Permit[]> {
  const groups = Map.groupBy(permits.flatMap(permittedOf), ({ claimed }) => rateKey(claimed));
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

function rateKey(claimed: ClaimedMessage): string {
  return `${laneClass(claimed.lane)}:${claimed.accountId}`;
}

/** The account's own setting of that name where it has one: a number in coexistence is fixed at 20. */
function messagesPerSecond(account: ServingAccount, channel: Channel): number {
  const own = Number(account.settings.messagesPerSecond);
  return own > 0 ? own : channel.capabilities.messagesPerSecond;
}

async function loadOptOuts(
  storage: Storage,
  batch: readonly ClaimedMessage[],
): Promise<ReadonlyMap<ConversationId, readonly string[]>> {
  const begun = batch.filter(({ lane }) => needsConsent(lane));
  const found = new Map<ConversationId, readonly string[]>();
  for (const [workspaceId, messages] of Map.groupBy(begun, (message) => message.workspaceId)) {
    const ids = messages.map((message) => message.conversationId);
    const topics = await storage.inWorkspace(workspaceId, (tx) => findOptOuts(tx, ids));
    for (const [id, list] of topics) found.set(id, list);
  }
  return found;
}
