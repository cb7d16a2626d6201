/**
 * An incident is one trouble from its beginning to its end: open, still open each time that it is looked at, resolved.
 * Who is to be told is told when it opens and when it is resolved, and never in between. Pure.
 */
import type { AccountId, IncidentId, IncidentKind } from '@switchyard/contract';

export type Facts = Readonly<Record<string, string | number | null>>;

/** What a look found wrong. Two with one subject are the same trouble. */
export interface Finding {
  readonly subject: string;
  readonly accountId: AccountId | null;
  readonly facts: Facts;
}

export interface OpenIncident extends Finding {
  readonly id: IncidentId;
}

export interface Incident extends Finding {
  readonly id: IncidentId;
  readonly kind: IncidentKind;
  readonly accountName: string | null;
  readonly openedAt: Date;
  readonly lastSeenAt: Date;
  readonly timesSeen: number;
  readonly resolvedAt: Date | null;
}

export interface Decisions {
  readonly opened: readonly Finding[];
  readonly continued: readonly OpenIncident[];
  readonly resolved: readonly OpenIncident[];
}

/** Of one kind: all that are open, and all that was found now. */
export function decide(open: readonly OpenIncident[], found: readonly Finding[]): Decisions {
  const bySubject = new Map(found.map((finding) => [finding.subject, finding]));
  const known = new Set(open.map(({ subject }) => subject));
  return {
    opened: [...bySubject.values()].filter(({ subject }) => !known.has(subject)),
    continued: open.flatMap((incident) => {
      const finding = bySubject.get(incident.subject);
      return finding ? [{ ...incident, facts: finding.facts }] : [];
    }),
    resolved: open.filter(({ subject }) => !bySubject.has(subject)),
  };
}
