import { type PairingView, toPublicId } from '@switchyard/contract';
import type { PairingSummary } from '#accounts';

/** Seconds are told beside the instant: the browser's clock may be wrong. */
export function presentPairing(pairing: PairingSummary, now: Date): PairingView {
  const { account, state, qr, codesShown, askedAt } = pairing;
  return {
    accountId: toPublicId('account', account.id),
    state,
    status: account.connectionStatus,
    statusDetail: account.connectionError,
    qr: qr && {
      code: qr.code,
      image: qr.image,
      pairingCode: qr.pairingCode,
      expiresAt: qr.expiresAt.toISOString(),
      expiresInSeconds: Math.max(0, Math.ceil((qr.expiresAt.getTime() - now.getTime()) / 1_000)),
    },
    codesShown,
    askedAt: askedAt?.toISOString() ?? null,
  };
}
