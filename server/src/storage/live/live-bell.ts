/**
 * The bell of live events: what changed, told to every process that has browsers waiting.
 *
 * Changes are collected and rung at most every `flushMs`, one ring a workspace; after a pause as long as that the first is
 * rung within `gatherMs`. More than `maxIdsPerTopic` of one topic
 * become one `*`, more than `maxWorkspaces` in one window become "everything, everywhere": what is collected has a bound,
 * and so has a ring (the doorbell takes 4,000 bytes). Rings may be lost: whoever shows something reads it anew after a gap.
 */
import { type IdByName, type LiveEvent, toPublicId, type WorkspaceId } from '@switchyard/contract';
import type { Log } from '#kernel';
import type { Doorbell } from '../engines.ts';
import type { WorkspaceTx } from '../storage.ts';

export const liveRingTopic = 'live';
export const liveTopics = [
  'delivery',
  'conversation',
  'message',
  'account',
  'incident',
] as const satisfies LiveEvent['topic'][];
export type LiveTopic = (typeof liveTopics)[number];

export const liveBellLimits = { gatherMs: 10, flushMs: 100, maxIdsPerTopic: 20, maxWorkspaces: 1_000 } as const;
const everything = '*';

/**
 * What a room calls when it has changed something that people look at: it is told after the transaction's commit, and
 * not at all after a rollback. Never throws, costs next to nothing; compose fills it.
 */
export type NoteChange = <Topic extends LiveTopic>(
  tx: WorkspaceTx,
  topic: Topic,
  ids: readonly IdByName[Topic][],
) => void;

export interface LiveBell {
  readonly noteAfterCommit: NoteChange;
  /** It has changed, and is committed. */
  note<Topic extends LiveTopic>(workspaceId: WorkspaceId, topic: Topic, id: IdByName[Topic]): void;
  /** Rings what is collected; nothing is rung afterwards. */
  close(): Promise<void>;
}

/** Ids that wait, by topic; null stands for more than are named. */
type Waiting = Map<LiveTopic, Set<string> | null>;

export function createLiveBell(doorbell: Pick<Doorbell, 'ring'>, log: Log): LiveBell {
  const bell = new CoalescingBell(doorbell, log);
  return {
    note: (workspaceId, topic, id) => bell.note(workspaceId, topic, id),
    noteAfterCommit(tx, topic, ids) {
      if (ids.length === 0) return;
      tx.afterCommit(() => {
        for (const id of ids) bell.note(tx.workspaceId, topic, id);
      });
    },
    close: () => bell.close(),
  };
}

/**
 * Its states: `quiet`; `gathering`, with something collected that is rung in a moment; `resting`, since it has just rung: what
 * is collected meanwhile is rung at the end of the rest, and where nothing was it is quiet again; `closed`.
 */
class CoalescingBell {
  readonly #doorbell: Pick<Doorbell, 'ring'>;
  readonly #log: Log;
  #waiting = new Map<WorkspaceId, Waiting>();
  #isOverflown = false;
  #timer: NodeJS.Timeout | null = null;
  #isClosed = false;

  constructor(doorbell: Pick<Doorbell, 'ring'>, log: Log) {
    this.#doorbell = doorbell;
    this.#log = log;
  }

  note(workspaceId: WorkspaceId, topic: LiveTopic, id: string): void {
    if (this.#isClosed) return;
    this.#timer ??= this.#flushIn(liveBellLimits.gatherMs);
    if (this.#isOverflown) return;
    const ofWorkspace = this.#waiting.get(workspaceId);
    if (ofWorkspace) collect(ofWorkspace, topic, id);
    else if (this.#waiting.size < liveBellLimits.maxWorkspaces)
      this.#waiting.set(workspaceId, new Map([[topic, new Set([id])]]));
    else {
      this.#isOverflown = true;
      this.#waiting.clear();
    }
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#flush();
  }

  #flushIn(ms: number): NodeJS.Timeout {
    return setTimeout(() => void this.#flush(), ms).unref();
  }

  async #flush(): Promise<void> {
    if (this.#timer) clearTimeout(this.#timer);
    const rings = this.#take();
    this.#timer = rings.length === 0 || this.#isClosed ? null : this.#flushIn(liveBellLimits.flushMs);
    try {
      await Promise.all(rings.map((ring) => this.#doorbell.ring(liveRingTopic, ring)));
    } catch (error) {
      this.#log.warn({ err: error }, 'live events could not be rung; browsers read anew later');
    }
  }

  #take(): readonly Ring[] {
    const rings = [...this.#waiting].map(([id, topics]) => ringOf(id, topics));
    const taken = this.#isOverflown ? [{ workspace: everything }] : rings;
    this.#waiting = new Map();
    this.#isOverflown = false;
    return taken;
  }
}

function collect(waiting: Waiting, topic: LiveTopic, id: string): void {
  const ids = waiting.get(topic);
  if (ids === null) return;
  if (ids === undefined) waiting.set(topic, new Set([id]));
  else if (ids.has(id)) return;
  else if (ids.size >= liveBellLimits.maxIdsPerTopic) waiting.set(topic, null);
  else ids.add(id);
}

type Ring = Readonly<Record<string, string>>;

/** `{workspace, delivery: "dlv_…,dlv_…", message: "*"}`. */
function ringOf(workspaceId: WorkspaceId, waiting: Waiting): Ring {
  const topics = [...waiting].map(([topic, ids]) => [topic, ids === null ? everything : publicIds(topic, ids)]);
  return { workspace: workspaceId, ...Object.fromEntries(topics) };
}

function publicIds<Topic extends LiveTopic>(topic: Topic, ids: ReadonlySet<string>): string {
  return [...ids].map((id) => toPublicId(topic, id as IdByName[Topic])).join(',');
}

export interface HeardChange {
  /** `*`: every workspace; there are no events then, everything shown is to be read anew. */
  readonly workspace: string;
  readonly events: readonly LiveEvent[];
}

/** What a ring of the bell says. Null for one that is none of ours. */
export function parseLiveRing(ring: Readonly<Record<string, string | number | null>>): HeardChange | null {
  const { workspace } = ring;
  if (typeof workspace !== 'string') return null;
  const events = liveTopics.flatMap((topic) => {
    const ids = ring[topic];
    return typeof ids === 'string' ? ids.split(',').map((id) => ({ topic, id })) : [];
  });
  return { workspace, events };
}
