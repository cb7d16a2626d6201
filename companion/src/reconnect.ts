/**
 * What to do when the connection to WhatsApp has closed (pure). Codes are the library's `DisconnectReason`.
 *
 * Some closes are final: the phone has unlinked us, WhatsApp bars the number, or another machine has taken the session.
 * A restart (after linking) is no trouble at all. Everything else is tried again, later each time and never all at once;
 * closing again and again is a loop, which is told to people while we go on trying.
 */
export type CloseReason = 'unlinked' | 'barred' | 'replaced' | 'restart' | 'codes-used-up' | 'bad-state' | 'lost';

export type AfterClose =
  | { readonly kind: 'at-once' }
  | { readonly kind: 'later'; readonly waitMs: number; readonly isLoop: boolean }
  /** `forgets`: the session state is of no more use; the phone has to be linked anew. */
  | { readonly kind: 'end'; readonly forgets: boolean };

export const reconnectLimits = {
  firstWaitMs: 1_000,
  maxWaitMs: 300_000,
  /** As many closes within `loopWindowMs` are a loop. */
  loopCloses: 5,
  loopWindowMs: 600_000,
  /** A connection that held for so long is a good one: waits begin from the first again. */
  goodMs: 60_000,
} as const;

export type ReconnectLimits = Readonly<Record<keyof typeof reconnectLimits, number>>;

export interface CloseHistory {
  /** Troubled closes since the last good connection. */
  readonly failures: number;
  /** When they were; the newest last, no older than the loop's window. */
  readonly closedAtMs: readonly number[];
}

export const noCloses: CloseHistory = { failures: 0, closedAtMs: [] };

export interface Close {
  readonly reason: CloseReason;
  readonly nowMs: number;
  /** How long it had been open; 0: it never was. */
  readonly openMs: number;
}

export function noteClose(
  history: CloseHistory,
  close: Close,
  limits: ReconnectLimits = reconnectLimits,
): CloseHistory {
  if (close.reason === 'restart' || close.reason === 'codes-used-up') return history;
  const failures = close.openMs >= limits.goodMs ? 1 : history.failures + 1;
  const recent = history.closedAtMs.filter((at) => close.nowMs - at < limits.loopWindowMs);
  return { failures, closedAtMs: [...recent, close.nowMs].slice(-limits.loopCloses) };
}

/** `history` has this close in it. */
export function afterClose(
  reason: CloseReason,
  history: CloseHistory,
  random: () => number,
  limits: ReconnectLimits = reconnectLimits,
): AfterClose {
  switch (reason) {
    case 'unlinked':
      return { kind: 'end', forgets: true };
    case 'barred':
    case 'replaced':
      return { kind: 'end', forgets: false };
    case 'restart':
    case 'codes-used-up':
      return { kind: 'at-once' };
    case 'bad-state':
    case 'lost': {
      const isLoop = history.closedAtMs.length >= limits.loopCloses;
      return { kind: 'later', waitMs: backOffMs(history.failures, random, limits), isLoop };
    }
    default: {
      const never: never = reason;
      return never;
    }
  }
}

/** Doubled each time; the half of it by chance, so that a thousand sessions do not come back in one moment. */
function backOffMs(failures: number, random: () => number, { firstWaitMs, maxWaitMs }: ReconnectLimits): number {
  const whole = Math.min(maxWaitMs, firstWaitMs * 2 ** Math.min(30, Math.max(0, failures - 1)));
  return Math.round(whole / 2 + (whole / 2) * random());
}
