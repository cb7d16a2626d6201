/**
 * Every named moment at which a test may end or freeze the process, in the order of the two walks
 * (docs/walks/*.md). `npm run fault -- crash-points` strikes at each and fails when one was never reached.
 */
export const crashPointNames = [
  // The request.
  'gateway.body-read',
  'gateway.verified',
  'gateway.before-store',
  'inbox.before-insert',
  'inbox.committed',
  'gateway.before-answer',
  'gateway.answered',
  // Unpacking.
  'unpack.before-move',
  'unpack.moved',
  // Normalising.
  'normalise.leased',
  'normalise.read',
  'normalise.planned',
  'normalise.keys-claimed',
  'normalise.receipt-applied',
  'turn.locked-at-once',
  'turn.answered-at-once',
  'normalise.effects-taken',
  'normalise.before-commit',
  'normalise.between-workspaces',
  'normalise.committed',
  'normalise.before-release',
  // A turn.
  'turn.leased',
  'turn.locked',
  'turn.answered',
  'turn.parked-released',
  'turn.before-commit',
  'turn.committed',
  'turn.try-counted',
  'parked.before-sweep',
  // Out.
  'outbox.claimed',
  'outbox.permitted',
  'outbox.before-mark',
  'outbox.marked',
  'outbox.request-started',
  'outbox.answered',
  'outbox.before-record',
  'outbox.recorded',
  'outbox.sweep-released',
  'outbox.sweep-doubted',
] as const;

export type CrashPointName = (typeof crashPointNames)[number];
