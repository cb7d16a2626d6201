import { setTimeout as wait } from 'node:timers/promises';
import type { WorkspaceId } from '@switchyard/contract';
import { assert, type Clock, crashPoint, createLoop, type Log, type Loop, ServedLately } from '#kernel';
import type { NoteChange, Storage } from '#storage';
import type { Lane, LanedMessage } from '../outbox.ts';
import type { Breakers } from './breakers.ts';
import { claimHeads, type Mark, markSending, type Release, releaseClaims } from './claim-store.ts';
import type { DeliverDeps } from './deliver.ts';
import { InFlight } from './in-flight.ts';
import { createMicroBatch, type MicroBatch } from './micro-batch.ts';
import { recordForbidden, sendOne, type WalkDeps } from './one-message.ts';
import { type PermitDeps, permit } from './permits.ts';
import type { Recorder } from './recorder.ts';
import type { RetryPolicy } from './retry-schedule.ts';
import type { DispatchSettings } from './settings.ts';
import { sweep } from './sweeper.ts';
import type { ClaimedMessage } from './walk.ts';

export interface LifeDeps {
  readonly storage: Storage;
  readonly noteChange: NoteChange;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Log;
  readonly settings: DispatchSettings;
  readonly permit: PermitDeps;
  readonly deliver: DeliverDeps;
  readonly recorder: Recorder;
  readonly breakers: Breakers;
  readonly retry: RetryPolicy;
  readonly heldLanes: () => readonly Lane[];
  readonly stopping: AbortController;
  /** Resolves with what ends the listening. */
  listen(heard: () => void): Promise<() => Promise<void>>;
}

/** After a stop has ended the last requests: for their outcomes to be written. */
const lastWordsMs = 2_000;

/**
 * The dispatcher's life: `new`, then `running` (claims whenever there is room, woken by a bell, by a message that is done
 * or by its own poll; sweeps now and then), then `stopping` (claims nothing, gives back what has not left, waits for what
 * has), then `stopped`. It never starts twice.
 */
export class DispatchLife {
  readonly #deps: LifeDeps;
  readonly #walk: WalkDeps;
  readonly #releases: MicroBatch<Release, void>;
  readonly #inFlight = new InFlight();
  readonly #served: ServedLately<WorkspaceId>;
  readonly #tasks = new Set<Promise<void>>();
  readonly #claims: Loop;
  readonly #sweeps: Loop;
  #state: 'new' | 'running' | 'stopping' | 'stopped' = 'new';
  #unlisten: Promise<() => Promise<void>> | undefined;
  /** As the last claim saw it: what waits for one of ours, or for room, is looked for when one of ours is done. */
  #mayBeMoreQueued = true;

  constructor(deps: LifeDeps) {
    this.#deps = deps;
    const { storage, settings } = deps;
    this.#walk = {
      marks: createMicroBatch<Mark, number | null>(settings.maxMarksInBatch, async (marks) => {
        const numbers = await markSending(storage, marks, settings.sendingLeaseMs);
        return marks.map(({ attemptId }) => numbers.get(attemptId) ?? null);
      }),
      recorder: deps.recorder,
      breakers: deps.breakers,
      deliver: deps.deliver,
      retry: deps.retry,
      settings,
      clock: deps.clock,
      random: deps.random,
      log: deps.log,
      signal: deps.stopping.signal,
      isStopping: () => this.#state !== 'running',
    };
    this.#releases = createMicroBatch<Release, void>(settings.maxReleasesInBatch, async (releases) => {
      await releaseClaims(storage, releases);
      return releases.map(() => undefined);
    });
    this.#served = new ServedLately(settings.maxServedRemembered);
    const { pollMs, sweepMs } = settings;
    const common = { afterErrorMs: pollMs, log: deps.log };
    this.#claims = createLoop({ ...common, name: 'outbox', idleMs: pollMs, step: () => this.#claimStep() });
    this.#sweeps = createLoop({ ...common, name: 'outbox sweep', idleMs: sweepMs, step: () => this.#sweepStep() });
  }

  start(): void {
    assert(this.#state === 'new', 'a dispatcher is started once');
    this.#state = 'running';
    const silent = async () => {};
    this.#unlisten = this.#deps
      .listen(() => this.#claims.nudge())
      .catch((error: unknown) => {
        this.#deps.log.warn({ err: error }, 'the doorbell of the outbox cannot be heard; it is polled');
        return silent;
      });
    this.#claims.start();
    this.#sweeps.start();
  }

  async stop(graceMs: number): Promise<void> {
    if (this.#state !== 'running') return;
    this.#state = 'stopping';
    await Promise.all([this.#claims.stop(), this.#sweeps.stop()]);
    if (!(await this.#isDoneWithin(graceMs))) {
      this.#deps.stopping.abort(new Error('the server stops'));
      if (!(await this.#isDoneWithin(lastWordsMs))) {
        this.#deps.log.warn({ messages: this.#inFlight.size }, 'stopped before these outcomes were recorded');
      }
    }
    this.#state = 'stopped';
    const unlisten = await this.#unlisten;
    await unlisten?.();
  }

  /** False: full, or not running; others should be rung for. */
  wakeIfRoom(): boolean {
    if (this.#state !== 'running') return false;
    this.#claims.nudge();
    return this.#room() > 0;
  }

  leaseFor(workspaceId: WorkspaceId, messages: readonly LanedMessage[]): number {
    const { settings } = this.#deps;
    if (this.#state !== 'running' || this.#mayBeMoreQueued || messages.length > this.#room()) return 0;
    const { workspaces, accounts } = this.#inFlight;
    if ((workspaces.get(workspaceId) ?? 0) + messages.length > settings.maxPerWorkspace) return 0;
    const heldLanes = this.#deps.heldLanes();
    const isFree = ({ accountId, lane }: LanedMessage) =>
      !heldLanes.includes(lane) && (accounts.get(accountId) ?? 0) + messages.length <= settings.maxPerAccount;
    return messages.every(isFree) ? settings.leaseMs : 0;
  }

  /** Several may have been promised the same room: a few more than there is room for do no harm. */
  take(claimed: readonly ClaimedMessage[]): void {
    this.#hold(claimed);
    if (this.#state === 'running') this.#track(this.#dispatch(claimed));
    else this.#track(this.#release(claimed.map((message) => ({ message, waitMs: 0 }))));
  }

  #hold(claimed: readonly ClaimedMessage[]): void {
    crashPoint('outbox.claimed');
    for (const message of claimed) this.#inFlight.hold(message);
  }

  async #claimStep(): Promise<boolean> {
    const room = this.#room();
    if (room <= 0) return false;
    const { storage, settings } = this.#deps;
    // One that is done while the claim looks may free what the claim still saw behind it.
    this.#mayBeMoreQueued = true;
    const {
      messages: claimed,
      mayBeMoreQueued,
      stillWaiting,
    } = await claimHeads(storage, {
      maxMessages: room,
      maxPerWorkspace: settings.maxPerWorkspace,
      maxPerAccount: settings.maxPerAccount,
      leaseMs: settings.leaseMs,
      uncertainWaitMs: settings.uncertainWaitMs,
      busyWorkspaces: this.#inFlight.workspaces,
      busyAccounts: this.#inFlight.accounts,
      servedLately: this.#served.inOrder,
      heldLanes: this.#deps.heldLanes(),
    });
    this.#mayBeMoreQueued = mayBeMoreQueued;
    this.#served.note(
      claimed.map((message) => message.workspaceId),
      stillWaiting,
    );
    if (claimed.length > 0) {
      this.#hold(claimed);
      this.#track(this.#dispatch(claimed));
    }
    return claimed.length === room;
  }

  async #sweepStep(): Promise<boolean> {
    const { storage, settings, log, noteChange } = this.#deps;
    const swept = await sweep(storage, settings, noteChange);
    if (swept.released + swept.repeated > 0) this.#claims.nudge();
    if (swept.doubted + swept.released > 0) log.warn(swept, 'messages of a process that is gone were taken up');
    return swept.released + swept.doubted + swept.repeated + swept.left >= settings.maxSwept;
  }

  /** Each account by itself: one whose permit is slow holds up no other. */
  async #dispatch(batch: readonly ClaimedMessage[]): Promise<void> {
    const accounts = [...Map.groupBy(batch, ({ accountId }) => accountId).values()];
    await Promise.all(accounts.map((messages) => this.#dispatchAccount(messages)));
  }

  /** The permit for all, then each message by itself. */
  async #dispatchAccount(messages: readonly ClaimedMessage[]): Promise<void> {
    const permits = await permit(this.#deps.permit, messages);
    crashPoint('outbox.permitted');
    const releases: { message: ClaimedMessage; waitMs: number }[] = [];
    for (const [index, one] of permits.entries()) {
      const message = messages[index]!;
      if (one.kind === 'deferred') releases.push({ message, waitMs: one.waitMs });
      else if (this.#state !== 'running') releases.push({ message, waitMs: 0 });
      else if (one.kind === 'forbidden') this.#follow(message, recordForbidden(this.#walk, message, one.failure));
      else this.#follow(message, sendOne(this.#walk, one.message));
    }
    await this.#release(releases);
  }

  /** Keeps the message in flight until its walk has ended. */
  #follow(message: ClaimedMessage, walk: Promise<void>): void {
    const followed = walk
      .catch((error: unknown) => {
        const { outboundId, workspaceId } = message;
        this.#deps.log.error({ err: error, outboundId, workspaceId }, 'an outcome could not be recorded');
      })
      .finally(() => {
        this.#inFlight.letGo(message);
        // What was queued since has rung for itself.
        if (this.#mayBeMoreQueued) this.#claims.nudge();
      });
    this.#track(followed);
  }

  async #release(releases: readonly { readonly message: ClaimedMessage; readonly waitMs: number }[]): Promise<void> {
    if (releases.length === 0) return;
    try {
      await Promise.all(releases.map(({ message, waitMs }) => this.#releases.add({ ...message, waitMs })));
    } catch (error) {
      this.#deps.log.warn({ err: error }, 'claims could not be given back; their leases will run out');
    } finally {
      for (const { message } of releases) this.#inFlight.letGo(message);
    }
  }

  #track(task: Promise<void>): void {
    this.#tasks.add(task);
    void task.finally(() => this.#tasks.delete(task));
  }

  async #isDoneWithin(ms: number): Promise<boolean> {
    const timer = new AbortController();
    const late = wait(ms, false, { signal: timer.signal }).catch(() => false);
    const isDone = await Promise.race([this.#allDone(), late]);
    timer.abort();
    return isDone;
  }

  async #allDone(): Promise<true> {
    while (this.#tasks.size > 0) await Promise.all(this.#tasks);
    return true;
  }

  #room(): number {
    return this.#deps.settings.maxInFlight - this.#inFlight.size;
  }
}
