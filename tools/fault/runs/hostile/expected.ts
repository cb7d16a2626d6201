import type { HostileRequest, LetterReason } from './request.ts';

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
