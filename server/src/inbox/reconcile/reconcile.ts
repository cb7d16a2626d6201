import type { InboundEvent, Provider, ReconciliationId } from '@switchyard/contract';
import type { ServingAccount } from '#accounts';
import type { Channel, ListedRequest, MessageList, SendingNetwork } from '#channels';
import { type Clock, newId } from '#kernel';
import type { Storage } from '#storage';
import type { Receiver } from '../inbox.ts';
import { hashKey } from '../normalise/plan.ts';
import { oweInParts, payLook, putOffLook } from './owed-store.ts';
import {
  findKnownKeys,
  findKnownMessages,
  findReconciliation,
  finishReconciliation,
  insertReconciliation,
} from './reconcile-store.ts';
import { type Looked, type Reconciliation, reconcileLimits, recoveredRouteKind, type Span } from './reconciliation.ts';
import { isToBeDivided } from './span.ts';

export interface ReconcileDeps {
  readonly storage: Storage;
  readonly channels: Readonly<Record<Provider, Channel>>;
  /** What is recovered goes in by the same door as what is delivered. */
  readonly receiver: Pick<Receiver, 'receive'>;
  readonly networkOf: (account: ServingAccount) => Omit<SendingNetwork, 'signal'>;
  readonly clock: Clock;
  /** Instead of those of `reconcileLimits`. */
  readonly limits?: { readonly maxPages?: number; readonly maxRecovered?: number };
}

export interface Asked {
  readonly account: ServingAccount;
  readonly span: Span;
  readonly reason: Reconciliation['reason'];
  readonly signal: AbortSignal;
}

/**
 * Reads the span and stores what was lost; what became of it is kept, whatever it was. What did not have the whole span
 * stays owed, unless a person asked, who sees it; what held more than is read at once is no refusal, and owed in parts.
 * Throws when the database is away.
 */
export async function reconcile(deps: ReconcileDeps, asked: Asked): Promise<Looked> {
  const { account, span, reason } = asked;
  const id = newId('reconciliation');
  await deps.storage.inWorkspace(account.workspaceId, (tx) =>
    insertReconciliation(tx, { id, accountId: account.accountId, reason, span }),
  );
  return finish(deps, asked, id, await readAndStore(deps, asked));
}

type End = Pick<Looked, 'coveredFrom' | 'state' | 'detail' | 'listed' | 'recovered' | 'isThrough' | 'filled'>;

async function finish(
  deps: ReconcileDeps,
  { account, span, reason }: Asked,
  id: ReconciliationId,
  { isThrough, filled, ...end }: End,
): Promise<Looked> {
  const { accountId } = account;
  return deps.storage.inWorkspace(account.workspaceId, async (tx) => {
    const finished = (await finishReconciliation(tx, { id, ...end })) ?? (await findReconciliation(tx, id));
    if (!finished) throw new Error('broken promise: a reconciliation that was begun is there');
    if (isThrough) await payLook(tx, accountId, span);
    else if (reason === 'asked') return { ...finished, isThrough, filled };
    else if (isToBeDivided(span, { isThrough, filled })) await oweInParts(tx, accountId, span);
    else await putOffLook(tx, accountId, { ...span, ...reconcileLimits, detail: end.detail });
    return { ...finished, isThrough, filled };
  });
}

async function readAndStore(deps: ReconcileDeps, asked: Asked): Promise<End> {
  const channel = deps.channels[asked.account.provider];
  if (!channel.listMessages) {
    const detail = `${asked.account.provider} gives nobody a list of messages; it repeats its webhooks instead`;
    return { state: 'unsupported', detail, coveredFrom: null, listed: 0, recovered: 0, isThrough: true, filled: 0 };
  }
  const read = await readSpan(deps, channel, asked);
  const lost = read.unknown.toSorted((a, b) => a.at.getTime() - b.at.getTime());
  const { atOnce } = reconcileLimits;
  for (let at = 0; at < lost.length; at += atOnce)
    await Promise.all(lost.slice(at, at + atOnce).map((one) => store(deps, asked.account, one)));
  const { unknown: _unknown, ...end } = read;
  return { ...end, recovered: lost.length };
}

interface SpanRead extends Omit<End, 'recovered'> {
  readonly unknown: readonly ListedRequest[];
}

async function readSpan(deps: ReconcileDeps, channel: Channel, asked: Asked): Promise<SpanRead> {
  const { maxPages, maxRecovered } = { ...reconcileLimits, ...deps.limits };
  const unknown: ListedRequest[] = [];
  let listed = 0;
  let cursor: string | null = null;
  for (let page = 0; page < maxPages; page += 1) {
    const list = await askPage(deps, channel, asked, cursor);
    if (list.kind === 'failed') {
      const detail = `${list.failure.code}: ${list.failure.detail}`;
      const failed = { coveredFrom: null, listed, unknown, isThrough: false, filled: 0 };
      return { state: listed > 0 ? 'partial' : 'failed', detail, ...failed };
    }
    listed += list.requests.length;
    unknown.push(...(await withoutKnown(deps, channel, asked.account, list.requests)));
    const filled = Math.max((page + 1) / maxPages, unknown.length / maxRecovered);
    if (list.nextCursor === null)
      return { ...covered(asked.span, list.knownFrom), listed, unknown, isThrough: true, filled };
    if (unknown.length >= maxRecovered) break;
    cursor = list.nextCursor;
  }
  const more = asked.reason === 'asked' ? 'ask for a shorter span' : 'it is asked for in shorter spans';
  const detail = `there is more than is read at once (${listed}); ${more}`;
  return { state: 'partial', detail, coveredFrom: null, listed, unknown, isThrough: false, filled: 1 };
}

function covered({ from }: Span, knownFrom: Date | null): Pick<End, 'state' | 'detail' | 'coveredFrom'> {
  if (knownFrom !== null && knownFrom <= from) return { state: 'complete', detail: null, coveredFrom: from };
  const detail = knownFrom
    ? `the provider keeps nothing from before ${knownFrom.toISOString()}`
    : 'the provider holds no message of this span or from before it; perhaps its store keeps none';
  return { state: 'partial', detail, coveredFrom: knownFrom };
}

function askPage(deps: ReconcileDeps, channel: Channel, asked: Asked, cursor: string | null): Promise<MessageList> {
  const { account, span, signal } = asked;
  const list = channel.listMessages?.bind(channel);
  if (!list) throw new Error('broken promise: this channel can list');
  return list(
    { credentials: account.secrets, settings: account.settings },
    { ...span, cursor, pageSize: reconcileLimits.pageSize },
    { ...deps.networkOf(account), signal },
  );
}

/** A request stays when any of its events is new; one that cannot be read stays too, for a dead letter to say so. */
async function withoutKnown(
  deps: ReconcileDeps,
  channel: Channel,
  account: ServingAccount,
  requests: readonly ListedRequest[],
): Promise<readonly ListedRequest[]> {
  const read = requests.map((request) => ({ request, ...channel.normalise(normaliseInput(account, request)) }));
  const events = read.flatMap((one) => one.events);
  const [keys, messages] = await deps.storage.inWorkspace(account.workspaceId, async (tx) => [
    await findKnownKeys(
      tx,
      account.accountId,
      events.map((event) => hashKey(account.provider, event)),
    ),
    await findKnownMessages(tx, account.accountId, events.flatMap(messageIdOf)),
  ]);
  const isLost = (event: InboundEvent) => {
    if (keys.has(hashKey(account.provider, event).toString('hex'))) return false;
    const isHere = messageIdOf(event).some((id) => messages.has(id));
    // A receipt of what others sent by the same number would wait here for a message that never comes.
    return event.kind === 'status' ? isHere : !isHere;
  };
  return read
    .filter(({ events: own, unreadable }) => unreadable.length > 0 || own.some(isLost))
    .map(({ request }) => request);
}

function messageIdOf(event: InboundEvent): readonly string[] {
  return event.kind === 'message' || event.kind === 'status' ? [event.providerMessageId] : [];
}

function normaliseInput(account: ServingAccount, request: ListedRequest) {
  const { headers, body, at } = request;
  return { headers, body, target: targetOf(account, request), receivedAt: at.toISOString() };
}

function targetOf({ provider, channel }: ServingAccount, { query }: ListedRequest): string {
  return `/webhooks/${provider}/${channel}/${recoveredRouteKind}${query}`;
}

function store(deps: ReconcileDeps, account: ServingAccount, request: ListedRequest): Promise<void> {
  const { method, headers, body } = request;
  return deps.receiver.receive({
    ...{ id: newId('delivery'), workspaceId: account.workspaceId, accountId: account.accountId },
    ...{ provider: account.provider, routeKind: recoveredRouteKind, method, headers },
    ...{ target: targetOf(account, request), body: Buffer.from(body), secretsSealed: null },
    // We asked for it ourselves, with the account's own credentials.
    ...{ isAuthenticated: true, isTest: false, receivedAt: deps.clock.now() },
  });
}
