import type { Provider } from '@switchyard/contract';
import { oweEveryLook, reconcileLimits, type Span } from '#inbox';
import type { Log } from '#kernel';
import type { Storage, Tx } from '#storage';
import { markAlive } from './downtime-store.ts';

/** Far shorter than the gap that counts as one. */
const aliveMs = 30_000;

export interface DowntimeDeps {
  readonly storage: Storage;
  readonly log: Log;
  /** Whose lists can be asked for. */
  readonly askable: readonly Provider[];
  /** Writes down that webhooks were not taken, in the transaction that owes the looks. Absent: nobody is told. */
  readonly noteAbsence?: ((tx: Tx, from: Date, until: Date) => Promise<void>) | undefined;
  /** Looks are owed: begin at once. Where it rejects, the workers find them by themselves. */
  readonly begin: () => Promise<void>;
}

export interface Downtime {
  /** Settled when the first sign of life is written, and what a gap before it owes. */
  readonly first: Promise<void>;
  /** A sign now. Never rejects. */
  sign(): Promise<void>;
  stop(): void;
}

/**
 * A sign of life every so often, by the processes that take webhooks: it is missing where none of them runs, and where the
 * database is away, for then they answer 503. After a longer gap a look is owed for every account whose provider can be
 * asked, in the transaction that moves the sign: the gap is not forgotten before it is written down.
 */
export function watchDowntime(deps: DowntimeDeps): Downtime {
  const report = (error: unknown) => deps.log.warn({ error: String(error) }, 'the sign of life could not be written');
  const sign = () => leaveSign(deps).catch(report);
  const first = sign();
  const timer = setInterval(() => void sign(), aliveMs);
  timer.unref();
  return { first, sign, stop: () => clearInterval(timer) };
}

async function leaveSign({ storage, log, askable, noteAbsence, begin }: DowntimeDeps): Promise<void> {
  const owed = await storage.asWorker(async (tx) => {
    const { before, now } = await markAlive(tx);
    if (!before || now.getTime() - before.getTime() < reconcileLimits.downtimeMs) return null;
    const span = spanOfGap(before, now);
    await noteAbsence?.(tx, before, now);
    return { ...span, accounts: await oweEveryLook(tx, askable, span) };
  });
  if (!owed) return;
  log.warn(owed, 'webhooks were not taken for a while; asking providers for what was lost');
  await begin().catch((error: unknown) =>
    log.warn({ error: String(error) }, 'what was lost is asked for in the next round'),
  );
}

/** With what came shortly before it, and cut to what may be asked for. */
export function spanOfGap(before: Date, now: Date): Span {
  const longestMs = reconcileLimits.maxSpanDays * 86_400_000;
  const fromMs = Math.max(before.getTime() - reconcileLimits.overlapMs, now.getTime() - longestMs);
  return { from: new Date(fromMs), until: now };
}
