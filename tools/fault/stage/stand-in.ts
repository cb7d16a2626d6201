/** The simulator as a process of its own, its control API, and a reader that takes its ledger down as it grows. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { endWithUs, noteStarted } from './leftovers.ts';

export interface StandInUrls {
  readonly phone: string;
  readonly graph: string;
}

/** A send that the provider took. */
export interface LedgerSend {
  readonly seq: number;
  readonly number: string;
  readonly customer: string;
  readonly messageId: string;
  /** Our attempt id, as it came along. */
  readonly correlation: string | null;
  readonly text: string;
}

interface Entry {
  readonly seq: number;
  readonly kind: string;
  readonly number: string;
  readonly customer?: string;
  readonly messageId?: string;
  readonly correlation?: string;
  readonly what?: string;
  readonly text?: string;
  readonly status?: number | null;
}

const portAttempts = 20;
const pageSize = 5_000;
const statusRank: Readonly<Record<string, number>> = { sent: 1, delivered: 2, read: 3 };

/** What the provider saw: the third witness. */
export interface ProviderLedger {
  readonly sends: readonly LedgerSend[];
  /** Message id → the furthest status whose webhook was answered 200. */
  readonly receipts: ReadonlyMap<string, number>;
}

export class StandIn implements ProviderLedger {
  readonly urls: StandInUrls;
  readonly sends: LedgerSend[] = [];
  readonly receipts = new Map<string, number>();
  refusals = 0;
  /** Given up, or never tried. */
  lostWebhooks = 0;
  /** Answered 4xx, which is no answer to a sound webhook. */
  refusedWebhooks = 0;
  readonly #child: ChildProcess;
  #since = 0;
  #reading: Promise<void> = Promise.resolve();

  constructor(child: ChildProcess, urls: StandInUrls) {
    this.#child = child;
    this.urls = urls;
    endWithUs(() => (child.exitCode === null ? child.pid : undefined));
  }

  async control<Answer>(method: string, path: string, body?: object): Promise<Answer> {
    const answer = await fetch(`${this.urls.phone}/control/${path}`, {
      method,
      headers: { 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    if (!answer.ok) throw new Error(`the stand-in refused ${method} ${path}: ${answer.status} ${await answer.text()}`);
    return (await answer.json()) as Answer;
  }

  /** Takes down what is new. One reader at a time. */
  read(): Promise<void> {
    this.#reading = this.#reading.then(() => this.#readOn());
    return this.#reading;
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const ended = once(this.#child, 'exit');
    this.#child.kill('SIGTERM');
    await ended;
  }

  async #readOn(): Promise<void> {
    for (;;) {
      const path = `ledger?since=${this.#since}&limit=${pageSize}`;
      const page = await this.control<{ entries: Entry[]; next: number; forgotten: number }>('GET', path);
      if (page.forgotten > 0) throw new Error(`the ledger forgot ${page.forgotten} entries before they were read`);
      for (const entry of page.entries) this.#note(entry);
      if (page.next <= this.#since) return;
      this.#since = page.next;
    }
  }

  #note(entry: Entry): void {
    if (entry.kind === 'send') {
      const { seq, number, customer = '', messageId = '', correlation = null, text = '' } = entry;
      this.sends.push({ seq, number, customer, messageId, correlation, text });
    } else if (entry.kind === 'refusal') this.refusals += 1;
    else if (entry.kind === 'lost') this.lostWebhooks += 1;
    else if (entry.kind === 'webhook') this.#noteWebhook(entry);
  }

  #noteWebhook({ status, messageId, what = '' }: Entry): void {
    if (typeof status === 'number' && status >= 400 && status < 500) this.refusedWebhooks += 1;
    const rank = statusRank[what];
    if (status !== 200 || !messageId || rank === undefined) return;
    this.receipts.set(messageId, Math.max(rank, this.receipts.get(messageId) ?? 0));
  }
}

/** On five free ports in a row; another program may take one between our asking and its use, so there are some tries. */
export async function startStandIn(
  home: string,
  { seed, folder }: { readonly seed: number; readonly folder: string },
): Promise<StandIn> {
  for (let attempt = 0; attempt < portAttempts; attempt += 1) {
    const base = 20_000 + Math.floor(Math.random() * 40_000);
    const args = [join(home, 'simulator/src/main.ts'), '--port-base', `${base}`, '--seed', `${seed}`, '--quiet'];
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'ignore'] });
    noteStarted(folder, child.pid);
    const line = await firstLine(child);
    if (line) return new StandIn(child, JSON.parse(line) as StandInUrls);
  }
  throw new Error('the stand-in providers found no free ports');
}

function firstLine(child: ChildProcess): Promise<string | null> {
  return new Promise((resolve) => {
    let text = '';
    child.stdout?.on('data', (chunk: Buffer) => {
      text += chunk.toString();
      const end = text.indexOf('\n');
      if (end >= 0) resolve(text.slice(0, end));
    });
    child.once('exit', () => resolve(null));
  });
}
