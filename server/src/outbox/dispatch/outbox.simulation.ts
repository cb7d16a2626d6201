/**
 * The life of outbound messages as a simulation: the real rules (moves, settlements, retries, receipts) over a store in
 * memory that keeps rows as the tables do, a network that takes a request or not and may lose its own answer, and a clock
 * that only a schedule moves. Processes are killed and frozen between any two steps.
 */
import type { AttemptId, DeadLetterId, OutboundId, StatusType } from '@switchyard/contract';
import type { SendOutcome } from '#channels';
import type { MessageStatus } from '#conversations';
import type { OutboxState } from '../outbox.ts';
import { settlingMove, statusAfter } from '../receipt-effect.ts';
import { moves } from '../states.ts';
import { notSent } from './deliver.ts';
import { retryPolicy } from './retry-schedule.ts';
import type { Settlement } from './settle-store.ts';
import { doubt, type SettlingFacts, settlementOf } from './settlements.ts';
import type { MarkedMessage } from './walk.ts';

/** What a schedule may do; `draw` chooses among what there is, and stands for chance. */
export interface Step {
  readonly kind: 'queue' | 'claim' | 'walk' | 'kill' | 'cancel' | 'receipt' | 'sweep' | 'wait';
  readonly draw: number;
}

/** The rules under trial: a test plants a bug by giving another. */
export interface Rules {
  readonly settlementOf: typeof settlementOf;
  readonly doubt: typeof doubt;
  readonly settlingMove: typeof settlingMove;
  readonly statusAfter: typeof statusAfter;
  readonly mayRepeat: (row: OutboxRow) => boolean;
}

export const ourRules: Rules = {
  settlementOf,
  doubt,
  settlingMove,
  statusAfter,
  mayRepeat: (row) => row.repeatRule === 'rather-twice' && !row.isPossibleDuplicate,
};

export interface OutboxRow {
  readonly id: OutboundId;
  readonly repeatRule: 'never-twice' | 'rather-twice';
  readonly queuedAtMs: number;
  state: OutboxState;
  messageStatus: MessageStatus;
  leaseEpoch: number;
  leasedUntilMs: number;
  dueAtMs: number;
  attempts: number;
  attemptId: AttemptId | null;
  waitedMs: number | null;
  isPossibleDuplicate: boolean;
  /** Of each request that the provider took: was the message flagged when it left? */
  readonly accepted: boolean[];
  wasSent: boolean;
}

interface Walk {
  readonly process: number;
  readonly row: OutboxRow;
  readonly epoch: number;
  readonly at: 'claimed' | 'marked' | 'answered';
  readonly marked?: MarkedMessage;
  readonly markedAtMs: number;
  readonly outcome?: SendOutcome;
}

interface Receipt {
  readonly row: OutboxRow;
  readonly attemptId: AttemptId;
  readonly type: StatusType;
}

const limits = { leaseMs: 30_000, sendingLeaseMs: 30_000, settleMs: 120_000, processes: 3, maxMessages: 6 } as const;
/** Under and over a lease, the time in doubt, the longest back-off. */
const waitsMs = [10, 1_000, 31_000, 130_000, 400_000] as const;

export class SimulatedOutbox {
  readonly rows: OutboxRow[] = [];
  readonly #rules: Rules;
  #nowMs = 0;
  #ids = 0;
  #walks: Walk[] = [];
  #receipts: Receipt[] = [];

  constructor(rules: Rules) {
    this.#rules = rules;
  }

  take({ kind, draw }: Step): void {
    if (kind === 'queue') this.#queue(draw);
    else if (kind === 'claim') this.#claim(draw);
    else if (kind === 'walk') this.#walkOn(draw);
    else if (kind === 'kill') this.#kill(draw % limits.processes);
    else if (kind === 'cancel') this.#cancel(draw);
    else if (kind === 'receipt') this.#hear(draw);
    else if (kind === 'sweep') this.#sweep();
    else this.#nowMs += waitsMs[draw % waitsMs.length]!;
  }

  /** Faults end and time goes on; receipts come last of all, so that nothing may count on them. */
  rest(): void {
    for (let round = 0; round < 12; round += 1) {
      this.#finishWalks();
      this.#nowMs += 6 * 3_600_000;
      this.#sweep();
      for (let claims = 0; claims < limits.maxMessages; claims += 1) this.#claim(0);
    }
    this.#finishWalks();
    for (const receipt of this.#receipts.splice(0)) this.#apply(receipt);
  }

  #finishWalks(): void {
    while (this.#walks.length > 0) this.#walkOn(0);
  }

  #queue(draw: number): void {
    if (this.rows.length >= limits.maxMessages) return;
    this.rows.push({
      id: this.#id() as OutboundId,
      repeatRule: draw % 2 === 0 ? 'never-twice' : 'rather-twice',
      queuedAtMs: this.#nowMs,
      state: 'queued',
      messageStatus: 'queued',
      leaseEpoch: 0,
      leasedUntilMs: 0,
      dueAtMs: this.#nowMs,
      attempts: 0,
      attemptId: null,
      waitedMs: null,
      isPossibleDuplicate: false,
      accepted: [],
      wasSent: false,
    });
  }

  #claim(draw: number): void {
    const due = this.rows.filter((row) => row.state === 'queued' && row.dueAtMs <= this.#nowMs);
    const row = due[draw % Math.max(1, due.length)];
    if (!row) return;
    row.state = moves.claim.to;
    row.leaseEpoch += 1;
    row.leasedUntilMs = this.#nowMs + limits.leaseMs;
    const process = draw % limits.processes;
    this.#walks.push({ process, row, epoch: row.leaseEpoch, at: 'claimed', markedAtMs: 0 });
  }

  /** One walk takes its next step, as `one-message.ts` does it. A walk that is not chosen is a frozen process. */
  #walkOn(draw: number): void {
    const walk = this.#walks[draw % Math.max(1, this.#walks.length)];
    if (!walk) return;
    const next = walk.at === 'claimed' ? this.#mark(walk) : walk.at === 'marked' ? this.#send(walk, draw) : null;
    if (walk.at === 'answered') this.#record(walk, draw);
    this.#walks = this.#walks.flatMap((one) => (one !== walk ? [one] : next ? [next] : []));
  }

  #mark(walk: Walk): Walk | null {
    const { row } = walk;
    if (row.state !== 'claimed' || row.leaseEpoch !== walk.epoch) return null;
    const ageMs = this.#nowMs - row.queuedAtMs;
    row.state = moves.mark.to;
    row.attempts += 1;
    row.attemptId = this.#id() as AttemptId;
    row.leasedUntilMs = this.#nowMs + limits.sendingLeaseMs;
    const claimed = { outboundId: row.id, accountId: 'account', ageMs, previousWaitMs: row.waitedMs };
    // The rules read no more of a marked message than this.
    const marked = { claimed, attemptId: row.attemptId, number: row.attempts } as unknown as MarkedMessage;
    return { ...walk, at: 'marked', marked, markedAtMs: this.#nowMs };
  }

  #send(walk: Walk, draw: number): Walk {
    const isLate = this.#nowMs - walk.markedAtMs >= limits.leaseMs;
    return { ...walk, at: 'answered', outcome: isLate ? notSent : this.#network(walk, Math.floor(draw / 7) % 6) };
  }

  /** Six fates: taken and said so; taken and the answer lost; lost before; not reachable; refused; refused for now. */
  #network(walk: Walk, fate: number): SendOutcome {
    if (fate <= 1) this.#accept(walk);
    if (fate === 0) return { kind: 'sent', providerMessageId: `wamid.${walk.marked!.attemptId}` };
    const retry = { kind: fate === 4 ? 'never' : 'later' } as const;
    const failure = { code: 'Simulated', detail: `fate ${fate}`, retry, isCertain: fate > 2 };
    return { kind: fate <= 2 ? 'uncertain' : fate === 3 ? 'unreachable' : 'refused', failure };
  }

  #accept({ row, marked }: Walk): void {
    row.accepted.push(row.isPossibleDuplicate);
    const { attemptId } = marked!;
    for (const type of ['sent', 'delivered', 'read'] as const) this.#receipts.push({ row, attemptId, type });
  }

  #record(walk: Walk, draw: number): void {
    this.#settle(walk.row, this.#rules.settlementOf(walk.marked!, walk.outcome!, this.#facts(draw)));
  }

  #facts(draw: number): SettlingFacts {
    return {
      milliseconds: 1,
      nowMs: this.#nowMs,
      settleMs: limits.settleMs,
      policy: retryPolicy,
      random: () => (draw % 101) / 101,
      deadLetterId: () => this.#id() as DeadLetterId,
    };
  }

  /** As `settle-store.ts` has the database do it: fenced by the try and by the state it starts from. */
  #settle(row: OutboxRow, settlement: Settlement): void {
    if (!settlement.from.includes(row.state) || row.attemptId !== settlement.attemptId) return;
    row.state = settlement.to;
    row.waitedMs = settlement.failure?.waitedMs ?? null;
    if (settlement.to === 'queued') row.dueAtMs = this.#nowMs + settlement.waitMs;
    row.leasedUntilMs = this.#nowMs + (settlement.to === 'uncertain' ? settlement.waitMs : 0);
    if (row.messageStatus === 'queued' || row.messageStatus === 'uncertain')
      row.messageStatus = settlement.messageStatus;
    row.wasSent ||= row.state === 'sent';
  }

  #kill(process: number): void {
    this.#walks = this.#walks.filter((walk) => walk.process !== process);
  }

  /** An erasure: what has not left does not leave any more. */
  #cancel(draw: number): void {
    const row = this.rows[draw % Math.max(1, this.rows.length)];
    const from: readonly OutboxState[] = moves.cancel.from;
    if (row && from.includes(row.state)) row.state = moves.cancel.to;
  }

  /** A receipt comes, some of them twice, in any order. */
  #hear(draw: number): void {
    const at = draw % Math.max(1, this.#receipts.length);
    const receipt = this.#receipts[at];
    if (!receipt) return;
    if (draw % 3 !== 0) this.#receipts.splice(at, 1);
    this.#apply(receipt);
  }

  #apply({ row, attemptId, type }: Receipt): void {
    const found = { status: row.messageStatus, state: row.state, attemptId: row.attemptId };
    const move = this.#rules.settlingMove(found, type, attemptId);
    if (move) {
      row.state = moves[move].to;
      if (move === 'evidence' && ['queued', 'uncertain', 'failed'].includes(row.messageStatus))
        row.messageStatus = 'sent';
    }
    row.messageStatus =
      this.#rules.statusAfter(found, type, { attemptId, isSettled: move !== null }) ?? row.messageStatus;
    row.wasSent ||= row.state === 'sent';
  }

  #sweep(): void {
    for (const row of this.rows) {
      if (row.leasedUntilMs >= this.#nowMs) continue;
      if (row.state === 'claimed') row.state = moves.release.to;
      else if (row.state === 'sending') this.#doubt(row);
      else if (row.state === 'uncertain') this.#decide(row);
    }
  }

  #doubt(row: OutboxRow): void {
    const message = { outboundId: row.id, accountId: 'account', attemptId: row.attemptId } as Parameters<
      typeof doubt
    >[0];
    this.#settle(row, this.#rules.doubt(message, limits.settleMs));
  }

  #decide(row: OutboxRow): void {
    if (!this.#rules.mayRepeat(row)) {
      row.leasedUntilMs = Number.POSITIVE_INFINITY;
      return;
    }
    row.state = moves.repeat.to;
    row.dueAtMs = this.#nowMs;
    row.isPossibleDuplicate = true;
    if (row.messageStatus === 'uncertain') row.messageStatus = 'queued';
  }

  #id(): string {
    this.#ids += 1;
    return `id-${this.#ids}`;
  }
}
