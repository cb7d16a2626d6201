/** Receive (store once), drain (claim, normalise, lock, pipeline, settle), replay, ledger. */

export { createReceiver, type ReceiveLimits, type ReceiverOptions, receiveLimits, shardOf } from './arrive/receive.ts';
export { unpackArrivals, unpackForSearch } from './arrive/unpack.ts';
export * from './delivery-store.ts';
export { createDrain, type DrainDeps, inboxTopic, type NudgeableDrain } from './drain.ts';
export { hopsOf, hopsOfParts } from './hops.ts';
export * from './inbox.ts';
export * from './ledger/ledger.ts';
export { type Balance, createLedger, type Ledger, type LedgerDeps, ledgerLimits } from './ledger/ledger-balance.ts';
export { hashKey } from './normalise/plan.ts';
export type { AccountMessage } from './normalise/take-effect.ts';
export { type ApplyReceipt, releaseParked } from './parked.ts';
export * from './reconcile/index.ts';
export { type ReplayResult, replayDelivery } from './replay.ts';
