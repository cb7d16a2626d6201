import type { AccountId, OutboundId, WorkspaceId } from '@switchyard/contract';
import { expect, test } from 'vitest';
import { silentLog, systemClock } from '#kernel';
import { type Storage, StorageUnavailable } from '#storage';
import { moves } from '../states.ts';
import { createRecorder } from './recorder.ts';
import type { Settlement } from './settle-store.ts';

const settlement: Settlement = {
  ...moves.retry,
  ...{ outboundId: 'one' as OutboundId, accountId: 'account' as AccountId, attemptId: null, leaseEpoch: '1' },
  ...{ messageStatus: 'queued', attemptOutcome: 'unreachable', providerMessageId: null, failure: null },
  ...{ milliseconds: 0, waitMs: 0, deadLetter: null },
};

/** Away for so many questions, then back. */
function storageAwayFor(questions: number): Storage {
  let asked = 0;
  const inWorkspace = async () => {
    asked += 1;
    if (asked <= questions) throw new StorageUnavailable('the database could not be asked');
  };
  return { inWorkspace } as unknown as Storage;
}

test('what is known is told well before later messages may pass, however long the database was away', async () => {
  const uncertainWaitMs = 500;
  const failures = 10;
  const recorder = createRecorder({
    ...{ storage: storageAwayFor(failures), clock: systemClock, log: silentLog, random: () => 1 },
    ...{ providerIdsKnown: async () => {}, noteChange: () => {} },
    ...{ maxBatch: 10, uncertainWaitMs, maxRecordingMs: 60_000 },
  });
  const startedMs = performance.now();
  await recorder.record('workspace' as WorkspaceId, settlement);
  expect(performance.now() - startedMs).toBeLessThan((failures + 1) * (uncertainWaitMs / 4));
});
