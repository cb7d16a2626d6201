import type { AccountId, WorkspaceId } from '@switchyard/contract';
import type { Clock, Log } from '#kernel';
import type { Storage, WorkspaceTx } from '#storage';
import type { RouteKind } from './accounts.ts';
import { addRoutingCounts, noteTokensUsed, type RoutingCount } from './route-store.ts';

export const noteLimits = {
  flushEveryMs: 5_000,
  /** Kinds of counts held at once; more are not counted until the next flush. */
  maxCounts: 20_000,
} as const;

/** For what led to no account: the table's key needs a value. */
const nobody = '00000000-0000-0000-0000-000000000000';

/** What is worth keeping but not worth a statement of its own: counted here, written in the background. */
export interface Notes {
  readonly countRouting: (
    accountId: AccountId | null,
    workspaceId: WorkspaceId | null,
    kind: RouteKind,
    outcome: RoutingCount['outcome'],
  ) => void;
  noteWebhook(workspaceId: WorkspaceId, accountId: AccountId): void;
  readonly noteToken: (workspaceId: WorkspaceId, hash: string) => void;
  flush(): Promise<void>;
  close(): Promise<void>;
}

interface Collected {
  readonly counts: Map<string, RoutingCount>;
  /** By workspace, then by account. */
  readonly webhooks: Map<WorkspaceId, Map<AccountId, Date>>;
  readonly tokens: Map<WorkspaceId, Set<string>>;
}

export interface NotesDeps {
  readonly storage: Storage;
  readonly clock: Clock;
  readonly log: Log;
  /** `accountIds[i]` had an authentic webhook at `times[i]`. */
  readonly takeWebhooks: (tx: WorkspaceTx, accountIds: readonly AccountId[], times: readonly Date[]) => Promise<void>;
}

export function createNotes(deps: NotesDeps): Notes {
  let collected = nothing();
  let flushing: Promise<void> = Promise.resolve();
  const timer = setInterval(() => void flush(), noteLimits.flushEveryMs).unref();

  function flush(): Promise<void> {
    flushing = flushing.then(writeCollected);
    return flushing;
  }

  /** Never throws. What could not be written is counted again; of times, a newer one may have come meanwhile. */
  async function writeCollected(): Promise<void> {
    const taken = collected;
    collected = nothing();
    try {
      await write(deps, taken, deps.clock.now());
    } catch (error) {
      deps.log.warn({ error: String(error) }, 'routing counts could not be written; they are kept for later');
      putBack(taken, collected);
    }
  }

  return {
    countRouting(accountId, workspaceId, kind, outcome) {
      add(collected.counts, {
        workspaceId: workspaceId ?? nobody,
        accountId: accountId ?? nobody,
        kind,
        outcome,
        count: 1,
      });
    },
    noteWebhook(workspaceId, accountId) {
      const ofWorkspace = collected.webhooks.get(workspaceId);
      if (ofWorkspace) ofWorkspace.set(accountId, deps.clock.now());
      else collected.webhooks.set(workspaceId, new Map([[accountId, deps.clock.now()]]));
    },
    noteToken(workspaceId, hash) {
      const ofWorkspace = collected.tokens.get(workspaceId);
      if (ofWorkspace) ofWorkspace.add(hash);
      else collected.tokens.set(workspaceId, new Set([hash]));
    },
    flush,
    async close() {
      clearInterval(timer);
      await flush();
    },
  };
}

function nothing(): Collected {
  return { counts: new Map(), webhooks: new Map(), tokens: new Map() };
}

function add(counts: Map<string, RoutingCount>, more: RoutingCount): void {
  const key = `${more.accountId}${more.kind}${more.outcome}`;
  const held = counts.get(key);
  if (held) held.count += more.count;
  else if (counts.size < noteLimits.maxCounts) counts.set(key, more);
}

/** What is written is taken out, so that a failure half-way counts nothing twice. */
async function write({ storage, takeWebhooks }: NotesDeps, taken: Collected, now: Date): Promise<void> {
  if (taken.counts.size > 0) {
    await addRoutingCounts(storage, startOfHour(now), [...taken.counts.values()]);
    taken.counts.clear();
  }
  for (const workspaceId of new Set([...taken.webhooks.keys(), ...taken.tokens.keys()])) {
    const webhooks = taken.webhooks.get(workspaceId);
    const tokens = taken.tokens.get(workspaceId);
    await storage.inWorkspace(workspaceId, async (tx) => {
      if (webhooks) await takeWebhooks(tx, [...webhooks.keys()], [...webhooks.values()]);
      if (tokens) await noteTokensUsed(tx, [...tokens], now);
    });
    taken.webhooks.delete(workspaceId);
    taken.tokens.delete(workspaceId);
  }
}

function putBack(taken: Collected, into: Collected): void {
  for (const count of taken.counts.values()) add(into.counts, count);
  for (const [workspaceId, times] of taken.webhooks) {
    into.webhooks.set(workspaceId, new Map([...times, ...(into.webhooks.get(workspaceId) ?? [])]));
  }
  for (const [workspaceId, hashes] of taken.tokens) {
    into.tokens.set(workspaceId, new Set([...hashes, ...(into.tokens.get(workspaceId) ?? [])]));
  }
}

function startOfHour(now: Date): Date {
  const hour = new Date(now);
  hour.setUTCMinutes(0, 0, 0);
  return hour;
}
