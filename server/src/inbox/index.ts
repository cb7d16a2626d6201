/** Receive (store once), drain (claim, normalise, lock, pipeline, settle), replay, ledger. */
export * from './delivery-store.ts';
export { createDrain, type DrainDeps, inboxTopic, type NudgeableDrain } from './drain.ts';
export { hopsOf, hopsOfParts } from './hops.ts';
export * from './inbox.ts';
export * from './ledger.ts';
export { type Balance, createLedger, type Ledger, type LedgerDeps, ledgerLimits } from './ledger-balance.ts';
export { type ApplyReceipt, releaseParked } from './parked.ts';
export { hashKey } from './plan.ts';
export { createReceiver, type ReceiveLimits, type ReceiverOptions, receiveLimits, shardOf } from './receive.ts';
export * from './reconcile/index.ts';
export { type ReplayResult, replayDelivery } from './replay.ts';
export type { AccountMessage } from './take-effect.ts';
export { unpackArrivals } from './unpack.ts';
