/** One permitted message's way out: mark, deliver, record. */
import type { AttemptId, Failure, WorkspaceId } from '@switchyard/contract';
import type { SendOutcome } from '#channels';
import { type Clock, crashPoint, type Log, newId } from '#kernel';
import type { Breakers } from './breakers.ts';
import type { Mark } from './claim-store.ts';
import { type DeliverDeps, deliver, notSent } from './deliver.ts';
import type { MicroBatch } from './micro-batch.ts';
import type { Recorder } from './recorder.ts';
import type { RetryPolicy } from './retry-schedule.ts';
import type { DispatchSettings } from './settings.ts';
import type { Settlement } from './settle-store.ts';
import { forbid, settlementOf } from './settlements.ts';
import type { ClaimedMessage, MarkedMessage, PermittedMessage } from './walk.ts';

export interface WalkDeps {
  readonly marks: MicroBatch<Mark, number | null>;
  readonly recorder: Recorder;
  readonly breakers: Breakers;
  readonly deliver: DeliverDeps;
  readonly retry: RetryPolicy;
  readonly settings: DispatchSettings;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Log;
  /** Ends the requests that a stop no longer waits for. */
  readonly signal: AbortSignal;
  isStopping(): boolean;
}

/** Resolves when the outcome is recorded, or when it turned out that somebody else holds the message. */
export async function sendOne(deps: WalkDeps, message: PermittedMessage): Promise<void> {
  const attemptId = newId('attempt');
  const markedAtMs = deps.clock.elapsedMs();
  crashPoint('outbox.before-mark');
  const number = await mark(deps, message, attemptId);
  if (number === null) return;
  crashPoint('outbox.marked');
  const marked: MarkedMessage = { ...message, attemptId, number };
  // Frozen for longer than the lease: somebody else may have decided about this try. Nothing has left yet, so it is given back.
  const isLate = deps.clock.elapsedMs() - markedAtMs >= deps.settings.leaseMs;
  if (isLate || deps.isStopping()) return record(deps, marked, { outcome: notSent, milliseconds: 0 });
  const startedMs = deps.clock.elapsedMs();
  const outcome = await deliver(deps.deliver, marked, deps.signal);
  crashPoint('outbox.answered');
  deps.breakers.note(message.claimed.accountId, outcome.kind);
  await record(deps, marked, { outcome, milliseconds: deps.clock.elapsedMs() - startedMs });
}

export function recordForbidden(deps: WalkDeps, claimed: ClaimedMessage, failure: Failure): Promise<void> {
  return deps.recorder.record(claimed.workspaceId, forbid(claimed, failure));
}

async function mark(deps: WalkDeps, message: PermittedMessage, attemptId: AttemptId): Promise<number | null> {
  const { workspaceId, outboundId, leaseEpoch, tries } = message.claimed;
  try {
    return await deps.marks.add({ workspaceId, outboundId, leaseEpoch, attemptId });
  } catch (error) {
    // Perhaps committed, perhaps not. Nothing has left, so if it was, the message is given back.
    deps.log.warn({ err: error, outboundId }, 'a message could not be marked as sending');
    await record(deps, { ...message, attemptId, number: tries + 1 }, { outcome: notSent, milliseconds: 0 });
    return null;
  }
}

async function record(
  deps: WalkDeps,
  message: MarkedMessage,
  end: { readonly outcome: SendOutcome; readonly milliseconds: number },
): Promise<void> {
  const settlement: Settlement = settlementOf(message, end.outcome, {
    milliseconds: end.milliseconds,
    nowMs: deps.clock.now().getTime(),
    settleMs: deps.settings.settleMs,
    policy: deps.retry,
    random: deps.random,
    deadLetterId: () => newId('deadLetter'),
  });
  const workspaceId: WorkspaceId = message.claimed.workspaceId;
  await deps.recorder.record(workspaceId, settlement);
}
