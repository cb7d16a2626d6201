import type { Clock, Log } from '#kernel';
import type { Counters, Doorbell, NoteChange, Storage } from '#storage';
import { outboxTopic } from '../create-outbox.ts';
import type { Dispatcher, Lane, ProviderIdsKnown } from '../outbox.ts';
import { createAccountRate } from './account-rate.ts';
import { type BreakerPolicy, breakerPolicy } from './breaker.ts';
import { createBreakers } from './breakers.ts';
import type { DeliverDeps } from './deliver.ts';
import { DispatchLife } from './life.ts';
import type { PermitDeps } from './permits.ts';
import { createReadMarks } from './read-marks.ts';
import { createRecorder } from './recorder.ts';
import { type RetryPolicy, retryPolicy } from './retry-schedule.ts';
import { type DispatchSettings, defaultDispatchSettings } from './settings.ts';

export interface DispatcherDeps extends DeliverDeps {
  readonly storage: Storage;
  readonly doorbell: Doorbell;
  readonly counters: Counters;
  readonly clock: Clock;
  /** From 0 to under 1. */
  readonly random: () => number;
  readonly log: Log;
  readonly channels: PermitDeps['channels'];
  readonly findServing: PermitDeps['findServing'];
  readonly providerIdsKnown: ProviderIdsKnown;
  readonly noteChange: NoteChange;
  /** Lanes that must wait while the server is pressed; left out, none ever. */
  readonly heldLanes?: () => readonly Lane[];
  readonly settings?: Partial<DispatchSettings>;
  readonly retry?: Partial<RetryPolicy>;
  readonly breaker?: Partial<BreakerPolicy>;
}

/** One a process. Several processes share the work through the database; hang it up with `outbox.attach`. */
export function createDispatcher(deps: DispatcherDeps): Dispatcher {
  const settings = { ...defaultDispatchSettings, ...deps.settings };
  const { storage, clock, random, log, counters } = deps;
  const rate = createAccountRate({ counters, clock, random, log });
  const breakers = createBreakers({ counters, clock, random, log, policy: { ...breakerPolicy, ...deps.breaker } });
  const stopping = new AbortController();
  const recorder = createRecorder({
    storage,
    providerIdsKnown: deps.providerIdsKnown,
    noteChange: deps.noteChange,
    clock,
    random,
    log,
    maxBatch: settings.maxSettlementsInBatch,
    uncertainWaitMs: settings.uncertainWaitMs,
    maxRecordingMs: settings.maxRecordingMs,
  });
  const readMarks = createReadMarks({
    channels: deps.channels,
    findServing: deps.findServing,
    networkOf: (account) => ({ ...deps.networkOf(account), signal: stopping.signal }),
    log,
    maxWaiting: settings.maxReadMarksWaiting,
    maxInFlight: settings.maxReadMarksInFlight,
  });
  const life = new DispatchLife({
    storage,
    noteChange: deps.noteChange,
    clock,
    random,
    log,
    settings,
    recorder,
    breakers,
    stopping,
    permit: {
      storage,
      log,
      channels: deps.channels,
      findServing: deps.findServing,
      rate,
      breakers,
      gate: {
        ...{ storage, noteChange: deps.noteChange, clock, log, networkOf: deps.networkOf },
        lookUpMs: Math.min(settings.numberLookUpMs, settings.leaseMs / 4),
      },
      lookupRetryMs: settings.lookupRetryMs,
      maxLookupRetryMs: settings.maxLookupRetryMs,
    },
    deliver: deps,
    retry: { ...retryPolicy, ...deps.retry },
    heldLanes: deps.heldLanes ?? (() => []),
    listen: async (heard) => {
      const silence = deps.doorbell.onGap(heard);
      const unlisten = await deps.doorbell.listen(outboxTopic, heard);
      return async () => {
        silence();
        await unlisten();
      };
    },
  });
  return {
    start: () => life.start(),
    async stop(graceMs) {
      readMarks.close();
      await life.stop(graceMs);
    },
    queued: () => life.wakeIfRoom(),
    leaseFor: (workspaceId, messages) => life.leaseFor(workspaceId, messages),
    take: (claimed) => life.take(claimed),
    read: (mark) => readMarks.add(mark),
  };
}
