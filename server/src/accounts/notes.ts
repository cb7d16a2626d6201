import type { AccountId, WorkspaceId } from '@switchyard/contract';
import type { Clock, Log } from '#kernel';
import type { Storage, WorkspaceTx } from '#storage';
import type { RouteKind } from './accounts.ts';
import { addRoutingCounts, type RoutingCount } from './routing/route-store.ts';
import { noteOldUrls, noteTokensUsed } from './tokens/token-store.ts';
import { createTokenUses, type UsesByWorkspace } from './tokens/token-uses.ts';
import type { Refusals } from './webhooks/webhook-refusals.ts';

export const noteLimits = {
  flushEveryMs: 5_000,
  /** Kinds of counts held at once; more are not counted until the next flush. */
  maxCounts: 20_000,
} as const;

/** For what led to no account: the table's key needs a value. */
const nobody = '00000000-0000-0000-0000-000000000000';

/**
 * What is worth keeping but not worth a statement of its own: counted here, written in the background. The counts go in one
 * statement for all workspaces. What is noted at accounts and tokens does not, though it costs a transaction for each
 * workspace that had webhooks in those seconds: those rows hold sealed secrets and the look-up of tokens, and the one role
 * that sees all workspaces may not write them. A fault in a statement of the workers then changes nobody's log-ins; and each
 * change is told to the browsers of its own workspace, by its own transaction.
 */
export interface Notes {
  readonly countRouting: (
    accountId: AccountId | null,
    workspaceId: WorkspaceId | null,
    kind: RouteKind,
    outcome: RoutingCount['outcome'],
  ) => void;
  noteWebhook(workspaceId: WorkspaceId, accountId: AccountId, at?: Date): void;
  noteRefusal(workspaceId: WorkspaceId, accountId: AccountId, refusals: Refusals): void;
  readonly noteToken: (workspaceId: WorkspaceId, hash: string) => void;
  flush(): Promise<void>;
  close(): Promise<void>;
}

type TimesByWorkspace = Map<WorkspaceId, Map<AccountId, Date>>;

interface Collected {
  readonly counts: Map<string, RoutingCount>;
  readonly webhooks: TimesByWorkspace;
  /** Calls that named the account otherwise than by a token. */
  readonly oldUrls: TimesByWorkspace;
  readonly tokens: UsesByWorkspace;
  readonly refusals: Map<WorkspaceId, Map<AccountId, Refusals>>;
}

export interface NotesDeps {
  readonly storage: Storage;
  readonly clock: Clock;
  readonly log: Log;
  readonly isCounting?: boolean;
  /** `accountIds[i]` had an authentic webhook at `times[i]`. */
  readonly takeWebhooks: (tx: WorkspaceTx, accountIds: readonly AccountId[], times: readonly Date[]) => Promise<void>;
  readonly takeRefusals: (workspaceId: WorkspaceId, refusals: ReadonlyMap<AccountId, Refusals>) => Promise<void>;
}

export function createNotes(deps: NotesDeps): Notes {
  let collected = nothing();
  const tokenUses = createTokenUses();
  let flushing: Promise<void> = Promise.resolve();
  const timer = setInterval(() => void flush(), noteLimits.flushEveryMs).unref();

  function flush(takeTokens = tokenUses.takeDue): Promise<void> {
    flushing = flushing.then(() => writeCollected(takeTokens));
    return flushing;
  }

  /** Never throws. What could not be written is counted again; of times, a newer one may have come meanwhile. */
  async function writeCollected(takeTokens: typeof tokenUses.takeDue): Promise<void> {
    const now = deps.clock.now();
    const taken = { ...collected, tokens: takeTokens(now) };
    collected = nothing();
    try {
      await write(deps, taken, now);
    } catch (error) {
      deps.log.warn({ error: String(error) }, 'routing counts could not be written; they are kept for later');
      putBack(taken, collected);
      tokenUses.putBack(taken.tokens);
    }
  }

  return {
    countRouting(accountId, workspaceId, kind, outcome) {
      const isByOldUrl = kind !== 'token' && kind !== 'challenge';
      if (isByOldUrl && workspaceId && accountId) {
        noteTime(collected.oldUrls, { workspaceId, accountId, at: deps.clock.now() });
      }
      if (deps.isCounting === false) return;
      add(collected.counts, {
        workspaceId: workspaceId ?? nobody,
        accountId: accountId ?? nobody,
        kind,
        outcome,
        count: 1,
      });
    },
    noteWebhook(workspaceId, accountId, at = deps.clock.now()) {
      noteTime(collected.webhooks, { workspaceId, accountId, at });
    },
    noteRefusal(workspaceId, accountId, refusals) {
      addRefusals(collected.refusals, workspaceId, accountId, refusals);
    },
    noteToken: (workspaceId, hash) => tokenUses.note(workspaceId, hash, deps.clock.now()),
    flush: () => flush(),
    async close() {
      clearInterval(timer);
      await flush(tokenUses.takeAll);
    },
  };
}

function nothing(): Collected {
  return { counts: new Map(), webhooks: new Map(), oldUrls: new Map(), tokens: new Map(), refusals: new Map() };
}

function noteTime(
  times: TimesByWorkspace,
  {
    workspaceId,
    accountId,
    at,
  }: { readonly workspaceId: WorkspaceId; readonly accountId: AccountId; readonly at: Date },
): void {
  const ofWorkspace = times.get(workspaceId);
  if (!ofWorkspace) times.set(workspaceId, new Map([[accountId, at]]));
  else if ((ofWorkspace.get(accountId) ?? at) <= at) ofWorkspace.set(accountId, at);
}

function addRefusals(
  all: Collected['refusals'],
  workspaceId: WorkspaceId,
  accountId: AccountId,
  { byToken, byName, reason }: Refusals,
): void {
  const ofWorkspace = all.get(workspaceId) ?? new Map<AccountId, Refusals>();
  const held = ofWorkspace.get(accountId) ?? { byToken: 0, byName: 0 };
  const sum = { byToken: held.byToken + byToken, byName: held.byName + byName, reason };
  all.set(workspaceId, ofWorkspace.set(accountId, sum));
}

function add(counts: Map<string, RoutingCount>, more: RoutingCount): void {
  const key = `${more.accountId}${more.kind}${more.outcome}`;
  const held = counts.get(key);
  if (held) held.count += more.count;
  else if (counts.size < noteLimits.maxCounts) counts.set(key, more);
}

/** What is written is taken out, so that a failure half-way counts nothing twice. */
async function write({ storage, takeWebhooks, takeRefusals }: NotesDeps, taken: Collected, now: Date): Promise<void> {
  if (taken.counts.size > 0) {
    await addRoutingCounts(storage, startOfHour(now), [...taken.counts.values()]);
    taken.counts.clear();
  }
  const { webhooks, oldUrls, tokens } = taken;
  for (const workspaceId of new Set([...webhooks.keys(), ...oldUrls.keys(), ...tokens.keys()])) {
    await storage.inWorkspace(workspaceId, async (tx) => {
      if (webhooks.has(workspaceId)) await takeWebhooks(tx, ...columnsOf(webhooks.get(workspaceId)));
      await noteOldUrls(tx, ...columnsOf(oldUrls.get(workspaceId)));
      await noteTokensUsed(tx, ...columnsOf(tokens.get(workspaceId)));
    });
    for (const written of [webhooks, oldUrls, tokens]) written.delete(workspaceId);
  }
  // Last: an authentic delivery of the same moment counts for more.
  for (const [workspaceId, refusals] of taken.refusals) {
    taken.refusals.delete(workspaceId);
    await takeRefusals(workspaceId, refusals);
  }
}

function columnsOf<Key>(times: ReadonlyMap<Key, Date> | undefined): readonly [readonly Key[], readonly Date[]] {
  return [[...(times?.keys() ?? [])], [...(times?.values() ?? [])]];
}

function putBack(taken: Collected, into: Collected): void {
  for (const count of taken.counts.values()) add(into.counts, count);
  for (const [workspaceId, refusals] of taken.refusals)
    for (const [accountId, refused] of refusals) addRefusals(into.refusals, workspaceId, accountId, refused);
  for (const name of ['webhooks', 'oldUrls'] as const) {
    for (const [workspaceId, times] of taken[name]) {
      into[name].set(workspaceId, new Map([...times, ...(into[name].get(workspaceId) ?? [])]));
    }
  }
}

function startOfHour(now: Date): Date {
  const hour = new Date(now);
  hour.setUTCMinutes(0, 0, 0);
  return hour;
}
