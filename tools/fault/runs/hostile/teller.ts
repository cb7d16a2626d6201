/** Sends what is hostile and notes what came of it: the answers that were wrong, what was acknowledged, what must come of that. */
import { createHash } from 'node:crypto';
import { appendFileSync } from 'node:fs';
import type { Acked } from '../../load/order.ts';
import type { HostileRequest, LetterReason } from './request.ts';
import { send } from './send.ts';

export type Tell = (request: HostileRequest) => Promise<readonly number[]>;

export class Teller {
  readonly expected = new Expected();
  /** Answers that are not right, once each. */
  readonly wrong = new Set<string>();
  readonly #port: number;
  readonly #ackedFile: string;
  requests = 0;
  acked = 0;

  /** `ackedFile`: a line for each that was answered 200, in the load generator's own words. */
  constructor(port: number, ackedFile: string) {
    this.#port = port;
    this.#ackedFile = ackedFile;
  }

  /** The statuses of all copies. Rejects never. */
  readonly tell: Tell = async (request) => {
    const firstMs = Date.now();
    const sent = Array.from({ length: request.copies ?? 1 }, () => send(this.#port, request));
    const statuses = await Promise.all(sent);
    for (const status of statuses) this.#note(request, status, firstMs);
    return statuses;
  };

  #note(request: HostileRequest, status: number, firstMs: number): void {
    const { name, method, answers } = request;
    this.requests += 1;
    if (!answers.includes(status)) this.wrong.add(`${name}: answered ${status}, not ${answers.join(' or ')}`);
    if (status !== 200 || method !== 'POST') return;
    this.acked += 1;
    this.expected.note(request);
    const line = ackedLine({ id: `hostile.${this.requests}`, firstMs, port: this.#port }, request);
    appendFileSync(this.#ackedFile, line);
  }
}

/** What must have come of that which was answered 200. */
export class Expected {
  /** Messages: each once. */
  readonly takes = new Set<string>();
  readonly letters: Record<LetterReason, number> = { unreadable: 0, 'foreign-account': 0, failed: 0 };

  note({ takes = [], setsAside }: Pick<HostileRequest, 'takes' | 'setsAside'>): void {
    for (const id of takes) this.takes.add(id);
    if (setsAside) this.letters[setsAside] += 1;
  }
}

function ackedLine(of: Pick<Acked, 'id' | 'firstMs' | 'port'>, { body, stored }: HostileRequest): string {
  const sha = createHash('sha256')
    .update(stored ?? body)
    .digest('hex');
  const line: Acked = { ...of, kind: 'other', target: 0, from: '', n: 0, sha, ackedMs: Date.now(), tries: 1 };
  return `${JSON.stringify(line)}\n`;
}
