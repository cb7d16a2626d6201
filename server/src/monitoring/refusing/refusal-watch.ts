/** In a process that takes webhooks: writes down when it refuses them, as soon as that can be written. */
import { randomUUID } from 'node:crypto';
import type { RefusalReason } from '@switchyard/contract';
import type { Clock, Log } from '#kernel';
import { type Storage, StorageUnavailable } from '#storage';
import type { PressureWatch } from '../pressure/index.ts';
import { isOver, isWorthTelling, lengthen, type RefusedSpan } from './refusing.ts';
import { type SpanNow, writeSpan } from './refusing-store.ts';

export interface RefusalWatchDeps {
  readonly storage: Pick<Storage, 'workerStatement'>;
  readonly pressure: Pick<PressureWatch, 'refusal'>;
  readonly clock: Clock;
  readonly log: Log;
  /** Something is to be told: begin at once. Where it rejects, the next round finds it. */
  readonly begin: () => Promise<void>;
  readonly lookEveryMs?: number;
}

export interface RefusalWatch {
  /** A delivery was answered 503 for this. What is no trouble of the database is passed over. */
  note(error: unknown): void;
  stop(): Promise<void>;
}

const lookEveryMs = 1_000;
/** A span that goes on is written anew so often. */
const signMs = 5_000;
const diskFull = '53100';

interface Kept {
  readonly id: string;
  readonly span: RefusedSpan;
  /** What of it stands in the database; null: nothing yet. */
  readonly written: { readonly text: string; readonly atMs: number } | null;
}

export function watchRefusals(deps: RefusalWatchDeps): RefusalWatch {
  return new Watch(deps);
}

class Watch implements RefusalWatch {
  readonly #deps: RefusalWatchDeps;
  readonly #timer: NodeJS.Timeout;
  #kept: Kept | null = null;
  #writing: Promise<void> | null = null;

  constructor(deps: RefusalWatchDeps) {
    this.#deps = deps;
    this.#timer = setInterval(() => this.#look(), deps.lookEveryMs ?? lookEveryMs);
    this.#timer.unref();
  }

  note(error: unknown): void {
    if (error instanceof StorageUnavailable) this.#refused([isDiskFull(error) ? 'disk' : 'database']);
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await this.#writing;
  }

  #refused(reasons: readonly RefusalReason[]): void {
    const nowMs = this.#deps.clock.elapsedMs();
    const kept = this.#kept;
    const span = kept && lengthen(kept.span, reasons, { nowMs, isTold: kept.written !== null });
    this.#kept = span
      ? { ...kept, span }
      : { id: randomUUID(), span: { beganMs: nowMs, lastMs: nowMs, reasons }, written: null };
  }

  #look(): void {
    const { refusal } = this.#deps.pressure;
    if (refusal.length > 0) this.#refused(refusal);
    const due = this.#kept && !this.#writing && dueOf(this.#kept, this.#deps.clock.elapsedMs());
    if (!due) return;
    this.#writing = this.#write(due).finally(() => {
      this.#writing = null;
    });
  }

  /** Never rejects: what could not be written is written at one of the next looks. */
  async #write({ span, text, isNews }: Due): Promise<void> {
    try {
      await writeSpan(this.#deps.storage, span);
      if (this.#kept?.id === span.id) this.#kept = { ...this.#kept, written: { text, atMs: span.nowMs } };
      if (isNews) await this.#deps.begin();
    } catch (error) {
      // Where the database is away this is expected, and said by whoever else needs it.
      if (!(error instanceof StorageUnavailable))
        this.#deps.log.warn({ error: String(error) }, 'that webhooks are refused waits to be told');
    }
  }
}

interface Due {
  readonly span: SpanNow;
  readonly text: string;
  readonly isNews: boolean;
}

/** null: what stands in the database is new enough. */
function dueOf({ id, span, written }: Kept, nowMs: number): Due | null {
  if (!isWorthTelling(span)) return null;
  const now = { ...span, id, nowMs, isOver: isOver(span, nowMs) };
  const text = `${now.reasons} ${now.isOver}`;
  const isNews = text !== written?.text;
  const isDue = isNews || (!now.isOver && nowMs - written.atMs >= signMs);
  return isDue ? { span: now, text, isNews } : null;
}

function isDiskFull({ cause }: StorageUnavailable): boolean {
  return typeof cause === 'object' && cause !== null && 'code' in cause && cause.code === diskFull;
}
