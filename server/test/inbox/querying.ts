import type { Storage, WorkspaceTx } from '#storage';

/** The same storage, but what its workspaces' transactions ask goes by `queryOf`: to be watched, cut off or kept waiting. */
export function querying(storage: Storage, queryOf: (tx: WorkspaceTx) => WorkspaceTx['query']): Storage {
  return {
    ...storage,
    inWorkspace: (workspaceId, work, planning) =>
      storage.inWorkspace(workspaceId, (tx) => work({ ...tx, query: queryOf(tx) }), planning),
  };
}
