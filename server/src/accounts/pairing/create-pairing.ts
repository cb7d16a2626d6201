import type { AccountEvent, AccountId, Failure, Provider, WorkspaceId } from '@switchyard/contract';
import type { SendingNetwork, SessionAnswer, SessionControl } from '#channels';
import { type Clock, done, type Result, refused } from '#kernel';
import type { Storage, WorkspaceTx } from '#storage';
import type { AccountSummary, Accounts, ServingAccount } from '../accounts.ts';
import { accountMissing, failureOf } from '../failures.ts';
import { defaultQrSeconds, type Pairing, type PairingSummary } from './pairing.ts';
import { askPairing, dropCode, findPairing, type PairingRow, setWanted, showCode } from './pairing-store.ts';

export interface PairingDeps {
  readonly storage: Storage;
  readonly accounts: Pick<Accounts, 'find' | 'findServing' | 'applyEvent' | 'applyConnection'>;
  readonly channels: Readonly<Record<Provider, { readonly sessions?: SessionControl }>>;
  readonly networkOf: (account: ServingAccount) => Omit<SendingNetwork, 'signal'>;
  readonly clock: Clock;
}

/** How long a provider may take to make a session: Evolution waits five seconds for the first code. */
const callMs = 15_000;

export function createPairing(deps: PairingDeps): Pairing {
  const { storage, clock } = deps;

  async function find(workspaceId: WorkspaceId, accountId: AccountId): Promise<Result<PairingSummary, Failure>> {
    const account = await deps.accounts.find(workspaceId, accountId);
    if (!account) return refused(accountMissing);
    const row = await storage.inWorkspace(workspaceId, (tx) => findPairing(tx, accountId));
    return done(summaryOf(account, row, clock.now()));
  }

  async function takeEvent(workspaceId: WorkspaceId, accountId: AccountId, event: AccountEvent): Promise<void> {
    await storage.inWorkspace(workspaceId, async (tx) => {
      await deps.accounts.applyEvent(tx, accountId, event);
      await noteEvent(tx, accountId, event);
    });
  }

  /** The account with its session's provider, or why it has none. */
  async function access(workspaceId: WorkspaceId, accountId: AccountId): Promise<Result<Linkable, Failure>> {
    const serving = await deps.accounts.findServing(workspaceId, accountId);
    const account = await deps.accounts.find(workspaceId, accountId);
    if (!serving || !account) return refused(accountMissing);
    const control = deps.channels[serving.provider].sessions;
    if (!control) return refused(notPairable);
    const network = { ...deps.networkOf(serving), signal: AbortSignal.timeout(callMs) };
    const sending = { credentials: serving.secrets, settings: serving.settings };
    return done({ account, serving, call: { control, sending, network } });
  }

  /** Takes over what the provider says of the session; its refusal is ours. */
  async function settle(
    { account, serving }: Linkable,
    answer: SessionAnswer,
  ): Promise<Result<PairingSummary, Failure>> {
    const { workspaceId, id } = account;
    if (answer.kind === 'state') {
      for (const event of eventsOf(answer, clock.now())) await takeEvent(workspaceId, id, event);
      return find(workspaceId, id);
    }
    if (answer.kind === 'unreachable' && serving.provider === 'webjs') return find(workspaceId, id);
    await takeEvent(workspaceId, id, connectionEvent('error', clock.now(), answer.failure.detail));
    return refused(answer.failure);
  }

  /** Only an account that is not connecting yet moves by this; it may be one too many for the plan. */
  async function ask(tx: WorkspaceTx, account: AccountSummary, actor: string): Promise<Failure | null> {
    if (account.connectionStatus !== 'connecting') {
      const moved = await deps.accounts.applyConnection(tx, account.id, { kind: 'act', act: 'connect', actor });
      if (!moved.ok) return moved.refusal;
    }
    await askPairing(tx, account.id);
    return null;
  }

  async function regenerateQr(workspaceId: WorkspaceId, accountId: AccountId, actor: string): Answer {
    const found = await access(workspaceId, accountId);
    if (!found.ok) return found;
    const { account, serving, call } = found.value;
    if (account.connectionStatus === 'connected') return refused(alreadyConnected);
    const refusal = await storage.inWorkspace(workspaceId, (tx) => ask(tx, account, actor));
    if (refusal) return refused(refusal);
    const wish = { webhookUrl: absolute(serving.webhookUrl), phoneNumber: account.phoneNumber };
    return settle(found.value, await call.control.start(call.sending, wish, call.network));
  }

  async function logOut(workspaceId: WorkspaceId, accountId: AccountId): Answer {
    const found = await access(workspaceId, accountId);
    if (!found.ok) return found;
    const { call, serving } = found.value;
    await storage.inWorkspace(workspaceId, (tx) => setWanted(tx, accountId, false));
    const answer = await call.control.logOut(call.sending, call.network);
    // A companion that is away finds out by itself that the session is no longer wanted.
    const isLeft = answer.kind === 'unreachable' && serving.provider === 'webjs';
    if (answer.kind === 'state' || isLeft) return settle(found.value, { kind: 'state', connection: 'disconnected' });
    const remark = `not logged out at the provider: ${answer.failure.detail}`;
    const report = { kind: 'report', status: 'disconnected', actor: 'provider', remark } as const;
    await storage.inWorkspace(workspaceId, async (tx) => {
      await deps.accounts.applyConnection(tx, accountId, report);
      await dropCode(tx, accountId);
    });
    return refused(answer.failure);
  }

  return {
    find,
    noteEvent,
    takeEvent,
    regenerateQr,
    logOut,

    async follow(workspaceId, accountId, act, actor) {
      if (act === 'disconnect') await logOut(workspaceId, accountId);
      else await regenerateQr(workspaceId, accountId, actor);
    },

    async refresh(workspaceId, accountId) {
      const found = await access(workspaceId, accountId);
      if (!found.ok) return found;
      const { call } = found.value;
      return settle(found.value, await call.control.look(call.sending, call.network));
    },
  };
}

type Answer = Promise<Result<PairingSummary, Failure>>;

interface Linkable {
  readonly account: AccountSummary;
  readonly serving: ServingAccount;
  readonly call: {
    readonly control: SessionControl;
    readonly sending: Parameters<SessionControl['look']>[0];
    readonly network: SendingNetwork;
  };
}

const notPairable = failureOf('not_pairable', 'An account of this provider is not linked with a phone.');
const alreadyConnected = failureOf(
  'already_connected',
  'The account is connected; disconnect it before you link a phone.',
);

/** Without PUBLIC_URL we know our path only, and nobody can be told to post there. */
function absolute(webhookUrl: string | null): string | null {
  return webhookUrl?.startsWith('http') ? webhookUrl : null;
}

async function noteEvent(tx: WorkspaceTx, accountId: AccountId, event: AccountEvent): Promise<void> {
  if (event.type === 'qr' && event.qr) {
    const { code, image, pairingCode } = event.qr;
    if (!code && !image && !pairingCode) return dropCode(tx, accountId);
    const seconds = Number(event.facts.expiresInSeconds);
    const expiresInSeconds = seconds > 0 && seconds <= 3_600 ? seconds : defaultQrSeconds;
    return showCode(tx, accountId, { code, image, pairingCode, expiresInSeconds });
  }
  if (event.type !== 'connection' || event.connection === 'connecting') return;
  await dropCode(tx, accountId);
}

function summaryOf(account: AccountSummary, row: PairingRow | undefined, now: Date): PairingSummary {
  const isConnected = account.connectionStatus === 'connected';
  const expiresAt = row?.expiresAt ?? null;
  const isShowing = !isConnected && row !== undefined && expiresAt !== null && expiresAt > now;
  return {
    account,
    state: stateOf({ isConnected, isShowing, row, status: account.connectionStatus }),
    qr: isShowing ? { code: row.code, image: row.image, pairingCode: row.pairingCode, expiresAt } : null,
    codesShown: row?.codesShown ?? 0,
    askedAt: row?.askedAt ?? null,
  };
}

interface StateFacts {
  readonly isConnected: boolean;
  readonly isShowing: boolean;
  readonly row: PairingRow | undefined;
  readonly status: AccountSummary['connectionStatus'];
}

function stateOf({ isConnected, isShowing, row, status }: StateFacts): PairingSummary['state'] {
  if (isConnected) return 'connected';
  if (isShowing) return 'showing';
  if (!row?.askedAt) return 'idle';
  if (row.codesShown > 0) return 'expired';
  return status === 'connecting' ? 'waiting' : 'idle';
}

function eventsOf(answer: Extract<SessionAnswer, { kind: 'state' }>, now: Date): readonly AccountEvent[] {
  const connection = connectionEvent(answer.connection, now, null);
  return answer.qr ? [connection, { ...connection, type: 'qr', name: 'qr', qr: answer.qr, facts: {} }] : [connection];
}

/** An event as a webhook would have brought it, for what is learnt in another way. By no clock but the order of coming. */
export function connectionEvent(
  connection: NonNullable<AccountEvent['connection']>,
  now: Date,
  reason: string | null,
): AccountEvent {
  return {
    kind: 'account',
    type: 'connection',
    name: 'session',
    key: `session:${connection}:${now.toISOString()}`,
    occurredAt: null,
    bindings: [],
    path: '',
    connection,
    facts: reason === null ? {} : { reason },
  };
}
