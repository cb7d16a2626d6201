/**
 * When is "connected" too quiet? A number's rhythm is learnt hour by hour of the week (UTC), and a quiet span is judged by
 * how unlikely it is in that rhythm. Pure.
 *
 * Each quiet hour adds evidence, in two ways of which the stronger counts:
 * - how surely something is heard in that hour of the week: of n weeks in which k had something, k/(n+1), which is never
 *   certain, so one hour alone seldom alarms;
 * - how much is heard in it at the least, for numbers so busy that minutes of quiet tell. Arrivals come in bursts, so only a
 *   part of it counts, and never more than is usual for that hour of the day: one campaign is no rhythm.
 * Evidence is -ln(chance), so it adds up: the chance of the whole span is e^-evidence.
 */
export const rhythmLimits = {
  hourMs: 3_600_000,
  weekHours: 168,
  /** Nothing is judged before a week is known. */
  learningHours: 168,
  /** Of older hours nothing is learnt. */
  memoryHours: 5 * 168,
  /** With fewer hours in which anything was heard, no rhythm can be told. */
  leastHeardHours: 20,
  /** Warns when so long a quiet comes once in a thousand. */
  alarmChance: 0.001,
  leastQuietMs: 30 * 60_000,
  /** Of the least that is usually heard, so much counts. */
  burstShare: 0.25,
} as const;

export interface HeardHour {
  readonly hour: Date;
  readonly heard: number;
}

export interface HeardFacts {
  /** Hours in which something was heard, in any order; the rest were quiet. */
  readonly hours: readonly HeardHour[];
  readonly lastHeardAt: Date | null;
  readonly now: Date;
}

export type Verdict =
  | { readonly kind: 'learning'; readonly until: Date | null }
  | { readonly kind: 'sparse' }
  | { readonly kind: 'normal' | 'silent'; readonly quietMs: number; readonly chance: number };

export function judgeSilence({ hours, lastHeardAt, now }: HeardFacts): Verdict {
  const heard = hours.filter((hour) => hour.heard > 0);
  const first = heard.reduce((least, { hour }) => Math.min(least, hour.getTime()), Number.POSITIVE_INFINITY);
  if (lastHeardAt === null || !Number.isFinite(first)) return { kind: 'learning', until: null };
  const { hourMs, learningHours, leastHeardHours, leastQuietMs, alarmChance } = rhythmLimits;
  const learntAt = first + learningHours * hourMs;
  if (now.getTime() < learntAt) return { kind: 'learning', until: new Date(learntAt) };
  if (heard.length < leastHeardHours) return { kind: 'sparse' };
  const quietMs = Math.max(0, now.getTime() - lastHeardAt.getTime());
  const evidence = evidenceOf(learn(heard, lastHeardAt), lastHeardAt.getTime(), now.getTime());
  const chance = Math.exp(-evidence);
  return { kind: quietMs >= leastQuietMs && chance < alarmChance ? 'silent' : 'normal', quietMs, chance };
}

/** Evidence of one quiet hour, by hour of the week. */
export type Rhythm = readonly number[];

/** Learnt from the first hour heard to the last, so that a silence teaches nothing of itself. */
export function learn(heard: readonly HeardHour[], lastHeardAt: Date): Rhythm {
  const { hourMs, memoryHours, weekHours, burstShare } = rhythmLimits;
  const last = Math.floor(lastHeardAt.getTime() / hourMs);
  const byHour = new Map(heard.map(({ hour, heard: count }) => [Math.floor(hour.getTime() / hourMs), count]));
  const first = Math.max(Math.min(...byHour.keys()), last - memoryHours + 1);
  const seen: number[][] = Array.from({ length: weekHours }, () => []);
  for (let hour = first; hour <= last; hour += 1) seen[hour % weekHours]?.push(byHour.get(hour) ?? 0);
  const usual = Array.from({ length: 24 }, (_, ofDay) =>
    median(seen.filter((_counts, index) => index % 24 === ofDay).flat()),
  );
  return seen.map((counts, index) => {
    const active = counts.filter((count) => count > 0).length;
    const surely = -Math.log(1 - active / (counts.length + 1));
    const least = counts.length === 0 ? 0 : Math.min(Math.min(...counts), usual[index % 24] ?? 0);
    return Math.max(surely, least * burstShare);
  });
}

function evidenceOf(rhythm: Rhythm, fromMs: number, toMs: number): number {
  const { hourMs, weekHours } = rhythmLimits;
  let evidence = 0;
  for (let at = fromMs; at < toMs; ) {
    const hour = Math.floor(at / hourMs);
    const end = Math.min((hour + 1) * hourMs, toMs);
    evidence += (rhythm[hour % weekHours] ?? 0) * ((end - at) / hourMs);
    at = end;
  }
  return evidence;
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor((sorted.length - 1) / 2)] ?? 0;
}
