import type { MessageId, WorkspaceId } from '@switchyard/contract';
import { crashPoint } from '#kernel';
import type { NoteChange, Storage, WorkspaceTx } from '#storage';
import { leaveUncertain, repeatUncertain } from '../receipt-store.ts';
import type { DispatchSettings } from './settings.ts';
import { settle } from './settle-store.ts';
import { doubt } from './settlements.ts';
import { findOverdue, type Overdue, releaseExpired } from './sweep-store.ts';

export interface Swept {
  readonly released: number;
  readonly doubted: number;
  readonly repeated: number;
  readonly left: number;
}

/**
 * Takes up what others left behind, by the database's clock. Claimed: nothing had left, so it is queued again. Marked and
 * without an outcome: uncertain, never sent again blindly. Uncertain for longer than receipts take: once more where the
 * message's rule wants it rather twice than never, flagged; else it stays uncertain for a person to see.
 *
 * Safe to run in several processes at once: each move is fenced by the state it starts from.
 */
export async function sweep(storage: Storage, settings: DispatchSettings, noteChange: NoteChange): Promise<Swept> {
  const released = await releaseExpired(storage, settings.maxSwept);
  if (released > 0) crashPoint('outbox.sweep-released');
  const overdue = await findOverdue(storage, settings.maxSwept);
  let swept: Swept = { released, doubted: 0, repeated: 0, left: 0 };
  for (const [workspaceId, messages] of Map.groupBy(overdue, (message) => message.workspaceId)) {
    swept = add(
      swept,
      await sweepWorkspace(storage, workspaceId, { messages, settleMs: settings.settleMs, noteChange }),
    );
  }
  return swept;
}

async function sweepWorkspace(
  storage: Storage,
  workspaceId: WorkspaceId,
  work: { readonly messages: readonly Overdue[]; readonly settleMs: number; readonly noteChange: NoteChange },
): Promise<Swept> {
  return storage.inWorkspace(workspaceId, async (tx) => {
    const sending = work.messages.filter(({ state }) => state === 'sending');
    const doubts = sending.map(({ outboundId, accountId, attemptId }) =>
      doubt({ outboundId, accountId, attemptId }, work.settleMs),
    );
    const doubted = doubts.length === 0 ? [] : await settle(tx, doubts);
    if (doubted.length > 0) crashPoint('outbox.sweep-doubted');
    const uncertain = work.messages.filter(({ state }) => state === 'uncertain');
    const decided = await decideUncertain(tx, uncertain);
    const changed: MessageId[] = [...doubted, ...uncertain].map(({ messageId }) => messageId);
    work.noteChange(tx, 'message', changed);
    return { released: 0, doubted: doubted.length, ...decided };
  });
}

async function decideUncertain(
  tx: WorkspaceTx,
  messages: readonly Overdue[],
): Promise<{ repeated: number; left: number }> {
  let repeated = 0;
  let left = 0;
  for (const { outboundId, mayRepeat } of messages) {
    if (mayRepeat) repeated += (await repeatUncertain(tx, outboundId)) ? 1 : 0;
    else left += (await leaveUncertain(tx, outboundId, 'nobody')) ? 1 : 0;
  }
  return { repeated, left };
}

function add(one: Swept, two: Swept): Swept {
  return {
    released: one.released + two.released,
    doubted: one.doubted + two.doubted,
    repeated: one.repeated + two.repeated,
    left: one.left + two.left,
  };
}
