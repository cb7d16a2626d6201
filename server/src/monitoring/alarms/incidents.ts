/**
 * An incident is one trouble from its beginning to its end: open, still open each time that it is looked at, and then
 * either resolved, since it was looked at again and found whole, or no longer watched, since there is nothing left to look
 * at. Time alone mends nothing. Who is to be told is told when it opens and when it ends; in between only of parts of it that
 * nobody was told of: a new group of them at once, more of a group once an hour at most. Pure.
 */
import type { AccountId, IncidentId, IncidentKind } from '@switchyard/contract';

export type Facts = Readonly<Record<string, string | number | null>>;

/** One of the things that an incident consists of; group and key name it. */
export interface Part {
  readonly key: string;
  /** What is told of together. */
  readonly group: string;
  /** When it came about, in milliseconds: a look reaches back so far only. */
  readonly atMs: number;
}

/** What a look found wrong. Two with one subject are the same trouble. */
export interface Finding {
  readonly subject: string;
  readonly accountId: AccountId | null;
  readonly facts: Facts;
  /** All that it consists of now, the oldest first. Absent: it is one thing. */
  readonly parts?: readonly Part[];
}

/** As it is kept with an incident. */
export interface Seen {
  readonly parts: readonly (Part & { readonly isTold: boolean })[];
  /** By group, in milliseconds: when somebody was last told of it. */
  readonly toldMs: Readonly<Record<string, number>>;
}

export interface OpenIncident extends Omit<Finding, 'parts'> {
  readonly id: IncidentId;
  readonly openedAt: Date;
  readonly seen: Seen;
}

export interface Incident extends Omit<Finding, 'parts'> {
  readonly id: IncidentId;
  readonly kind: IncidentKind;
  readonly accountName: string | null;
  readonly openedAt: Date;
  readonly lastSeenAt: Date;
  readonly timesSeen: number;
  /** When it ended, in either way. */
  readonly resolvedAt: Date | null;
  /** It ended without being found whole. */
  readonly isUnwatched: boolean;
}

/** `open`: this look could not see it. */
export type Ending = 'resolved' | 'unwatched' | 'open';

export interface Look {
  readonly findings: readonly Finding[];
  /** Of an open incident that this look did not find again. Absent: whatever was not found was looked at, and is whole. */
  readonly endOf?: (incident: OpenIncident) => Ending;
}

export interface Decisions {
  readonly opened: readonly (Finding & { readonly seen: Seen })[];
  readonly continued: readonly (OpenIncident & { readonly isNews: boolean })[];
  readonly ended: readonly { readonly id: IncidentId; readonly ending: Exclude<Ending, 'open'> }[];
}

export const incidentLimits = {
  /** More of a group that was told of before is told after this long. */
  againMs: 3_600_000,
  /** Of a group so many parts are kept by name. */
  partsOfGroup: 100,
} as const;

export const nameOfPart = ({ group, key }: Part): string => `${group} ${key}`;

const nothingSeen: Seen = { parts: [], toldMs: {} };

/** Of one kind: all that are open, and what was found now. */
export function decide(open: readonly OpenIncident[], { findings, endOf }: Look, now: Date): Decisions {
  const bySubject = new Map(findings.map((finding) => [finding.subject, finding]));
  const known = new Set(open.map(({ subject }) => subject));
  return {
    opened: [...bySubject.values()]
      .filter(({ subject }) => !known.has(subject))
      .map((finding) => ({ ...finding, seen: see(nothingSeen, finding.parts, now).seen })),
    continued: open.flatMap((incident) => {
      const finding = bySubject.get(incident.subject);
      return finding ? [{ ...incident, facts: finding.facts, ...see(incident.seen, finding.parts, now) }] : [];
    }),
    ended: open.flatMap((incident) => {
      const ending = bySubject.has(incident.subject) ? 'open' : (endOf?.(incident) ?? 'resolved');
      return ending === 'open' ? [] : [{ id: incident.id, ending }];
    }),
  };
}

/** What is seen now, and whether anybody is to be told of it. */
function see(before: Seen, found: readonly Part[] = [], now: Date): { readonly seen: Seen; readonly isNews: boolean } {
  const told = new Set(before.parts.filter(({ isTold }) => isTold).map(nameOfPart));
  const parts = kept(before, found).map((part) => ({ ...part, isTold: told.has(nameOfPart(part)) }));
  const isDue = (group: string) => now.getTime() - (before.toldMs[group] ?? 0) >= incidentLimits.againMs;
  const due = new Set(parts.flatMap(({ group, isTold }) => (!isTold && isDue(group) ? [group] : [])));
  const toldMs = { ...before.toldMs, ...Object.fromEntries([...due].map((group) => [group, now.getTime()])) };
  const seen = { parts: parts.map((part) => ({ ...part, isTold: part.isTold || due.has(part.group) })), toldMs };
  return { seen, isNews: due.size > 0 };
}

/** At most so many of a group: those that are known stay known, so that none of them is ever news again. */
function kept(before: Seen, found: readonly Part[]): readonly Part[] {
  const known = new Set(before.parts.map(nameOfPart));
  const isKnown = (part: Part) => known.has(nameOfPart(part));
  const inOrder = [...found.filter(isKnown), ...found.filter((part) => !isKnown(part))];
  const groups = Map.groupBy(inOrder, ({ group }) => group).values();
  return [...groups].flatMap((parts) => parts.slice(0, incidentLimits.partsOfGroup));
}
