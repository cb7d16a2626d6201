/**
 * Tells open browsers what changed. Rooms say so in their transactions; after the commit it is gathered for a moment
 * and rung on the doorbell, so that a thousand changes in a second cost a few rings. A ring that is lost costs nothing
 * but freshness: browsers read anew after a gap.
 */
import { type IdByName, type LiveEvent, toPublicId, type WorkspaceId } from '@switchyard/contract';
import { liveTopic } from '#api';
import type { Log } from '#kernel';
import type { Doorbell, WorkspaceTx } from '#storage';

/** More changed things of one topic and workspace in one moment than `maxIds` are told as one: `*`, any of them. */
export const liveRingLimits = { gatherMs: 100, maxIds: 8 } as const;

type Topic = LiveEvent['topic'];

export interface LiveRings {
  /** Effective only if the transaction commits. */
  changed<Name extends Topic>(tx: WorkspaceTx, topic: Name, id: IdByName[Name]): void;
  stop(): void;
}

export function createLiveRings(doorbell: Doorbell, log: Log): LiveRings {
  const waiting = new Map<string, { workspace: WorkspaceId; topic: Topic; ids: Set<string> }>();
  let timer: NodeJS.Timeout | null = null;

  function gather(workspace: WorkspaceId, topic: Topic, id: string): void {
    const key = `${workspace} ${topic}`;
    const gathered = waiting.get(key) ?? { workspace, topic, ids: new Set<string>() };
    if (gathered.ids.size <= liveRingLimits.maxIds) gathered.ids.add(id);
    waiting.set(key, gathered);
    timer ??= setTimeout(ringAll, liveRingLimits.gatherMs);
  }

  function ringAll(): void {
    timer = null;
    for (const { workspace, topic, ids } of waiting.values()) {
      const told = ids.size > liveRingLimits.maxIds ? ['*'] : ids;
      for (const id of told)
        doorbell.ring(liveTopic, { workspace, topic, id }).catch((error: unknown) => {
          log.warn({ error: String(error), topic }, 'open pages could not be told of a change');
        });
    }
    waiting.clear();
  }

  return {
    changed: (tx, topic, id) => tx.afterCommit(() => gather(tx.workspaceId, topic, toPublicId(topic, id))),
    stop() {
      if (timer) clearTimeout(timer);
    },
  };
}
