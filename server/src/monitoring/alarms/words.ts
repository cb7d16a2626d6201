/** An incident in words, for mails, webhooks and the command line. English; the console makes its own. Pure. */
import { type IncidentKind, type IncidentState, type RefusalReason, toPublicId } from '@switchyard/contract';
import { type Mail, oneLine } from '#workspaces';
import type { Facts, Incident } from './incidents.ts';
import type { Occasion } from './targets.ts';

type Named = Pick<Incident, 'kind' | 'accountName' | 'facts'>;

const refusals: Readonly<Record<RefusalReason, string>> = {
  disk: 'the disk has hardly any room left',
  backlog: 'what was received waits for hours',
  database: 'the database is away or too slow',
  'event-loop': 'the server cannot keep up',
  away: 'the server or its database was away',
};

const sentences: Readonly<Record<IncidentKind, (facts: Facts, account: string) => string>> = {
  refusing: ({ reasons, since, until }) =>
    `Webhooks ${until === null ? `are not taken since ${since}` : `were not taken from ${since} to ${until}`}: ${refusalWords(reasons)}. Providers send them again for as long as each of them tries.`,
  balance: (facts) =>
    `The balance has ${facts.gaps} gap(s): ${facts.stages}. The oldest has stood for ${minutes(facts.oldestMs)}.`,
  'balance-failed': (facts) => `The books could not be balanced: ${facts.error}`,
  unasked: (facts, account) =>
    `What ${account} may have lost for ${minutes(facts.spanMs)} could not be asked for in ${facts.tries} tries: ${facts.error}`,
  silence: (facts, account) =>
    `${account} is connected and has been quiet for ${minutes(facts.quietMs)}, which is unlike its usual rhythm.`,
  canary: (facts, account) => `The canary of ${account} ${facts.error ?? `stopped at "${facts.hop}"`}.`,
  'foreign-ids': (facts, account) =>
    `${facts.count} event(s) delivered to ${account} name another account; they were set aside.`,
  'dead-letters': (facts, account) => `${facts.count} part(s) delivered to ${account} were set aside.`,
};

function refusalWords(reasons: Facts[string] | undefined): string {
  const named = String(reasons ?? '').split(', ');
  return named.map((reason) => refusals[reason as RefusalReason] ?? reason).join(', ');
}

function minutes(ms: Facts[string] | undefined): string {
  const count = Math.round(Number(ms ?? 0) / 60_000);
  return count < 120 ? `${count} minutes` : `${Math.round(count / 60)} hours`;
}

export function stateOf({ resolvedAt, isUnwatched }: Pick<Incident, 'resolvedAt' | 'isUnwatched'>): IncidentState {
  if (resolvedAt === null) return 'open';
  return isUnwatched ? 'unwatched' : 'resolved';
}

export function summaryOf({ kind, accountName, facts }: Named): string {
  return sentences[kind](facts, accountName ?? 'a shared route');
}

const words: Readonly<Record<Occasion, string>> = {
  opened: 'Alarm',
  worsened: 'More of an alarm',
  resolved: 'Resolved',
  unwatched: 'No longer watched',
  test: 'Test',
};

const whyUnwatched =
  'It was not found mended. It is too old to be looked at again, or what it was about is switched off or gone.';

/** `incident` null: a test. */
export function mailOf(
  occasion: Occasion,
  incident: Incident | null,
  place: { workspace: string; url: string | undefined },
): Mail {
  const link = place.url ? `\n\n${place.url}/alarms` : '';
  if (incident === null)
    return {
      subject: `[${place.workspace}] Test of the alarm`,
      text: `This is a test: alarms of ${place.workspace} reach this address.${link}\n`,
    };
  const word = words[occasion];
  const why = occasion === 'unwatched' ? `\n\n${whyUnwatched}` : '';
  const end = incident.resolvedAt ? `\n${word}: ${incident.resolvedAt.toISOString()}` : '';
  return {
    subject: `[${place.workspace}] ${word}: ${oneLine(summaryOf(incident)).slice(0, 150)}`,
    text: `${summaryOf(incident)}${why}\n\nOpened: ${incident.openedAt.toISOString()}${end}${link}\n`,
  };
}

/** The body of a webhook: `type` says the occasion, `data` is the incident as the interface shows it. */
export function webhookBodyOf(occasion: Occasion, incident: Incident | null, at: Date): string {
  const data = incident && {
    id: toPublicId('incident', incident.id),
    kind: incident.kind,
    accountId: incident.accountId ? toPublicId('account', incident.accountId) : null,
    accountName: incident.accountName,
    summary: summaryOf(incident),
    facts: incident.facts,
    openedAt: incident.openedAt.toISOString(),
    resolvedAt: incident.resolvedAt?.toISOString() ?? null,
    state: stateOf(incident),
  };
  return JSON.stringify({ type: `alarm.${occasion}`, timestamp: at.toISOString(), data });
}
