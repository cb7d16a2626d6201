/** Receive (store once), drain (claim, normalise, lock, pipeline, settle), replay, ledger. */
export * from './inbox.ts';
