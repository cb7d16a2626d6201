import type { WorkspaceId } from '@switchyard/contract';

export const tokenUseLimits = {
  /** A token that is used a thousand times a second is written once in this time, by each process. */
  writeEveryMs: 60_000,
} as const;

export type UsesByWorkspace = Map<WorkspaceId, Map<string, Date>>;

/** When each token was last used; by workspace and the token's hash. Nothing here waits or fails: it is the hit path. */
export interface TokenUses {
  note(workspaceId: WorkspaceId, hash: string, at: Date): void;
  /** Takes out what has not been written in the last minute. */
  takeDue(now: Date): UsesByWorkspace;
  /** All that is held, at the end of the process. */
  takeAll(now: Date): UsesByWorkspace;
  /** What could not be written. A use that was noted meanwhile is newer. */
  putBack(uses: UsesByWorkspace): void;
}

export function createTokenUses(): TokenUses {
  const held: UsesByWorkspace = new Map();
  const writtenMs = new Map<string, number>();

  function note(workspaceId: WorkspaceId, hash: string, at: Date): void {
    const ofWorkspace = held.get(workspaceId);
    if (ofWorkspace) ofWorkspace.set(hash, at);
    else held.set(workspaceId, new Map([[hash, at]]));
  }

  function take(now: Date, isDue: (hash: string) => boolean): UsesByWorkspace {
    const taken: UsesByWorkspace = new Map();
    for (const [workspaceId, uses] of held) {
      const due = new Map([...uses].filter(([hash]) => isDue(hash)));
      if (due.size === 0) continue;
      taken.set(workspaceId, due);
      for (const hash of due.keys()) {
        uses.delete(hash);
        writtenMs.set(hash, now.getTime());
      }
      if (uses.size === 0) held.delete(workspaceId);
    }
    return taken;
  }

  return {
    note,
    takeDue(now) {
      const since = now.getTime() - tokenUseLimits.writeEveryMs;
      for (const [hash, ms] of writtenMs) {
        if (ms <= since) writtenMs.delete(hash);
      }
      return take(now, (hash) => !writtenMs.has(hash));
    },
    takeAll: (now) => take(now, () => true),
    putBack(uses) {
      for (const [workspaceId, ofWorkspace] of uses) {
        for (const [hash, at] of ofWorkspace) {
          writtenMs.delete(hash);
          if (!held.get(workspaceId)?.has(hash)) note(workspaceId, hash, at);
        }
      }
    },
  };
}
