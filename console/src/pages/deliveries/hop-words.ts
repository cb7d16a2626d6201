/** A hop in the chosen language, made of its facts; what a provider or a flow wrote stays as it is. */
import type { Hop } from '@switchyard/contract';
import i18next, { type TFunction } from 'i18next';
import { formatBytes, formatDuration } from '../../i18n/format.ts';

export interface HopWords {
  readonly title: string;
  readonly detail: string | null;
}

export function wordsOfHop(hop: Hop, t: TFunction): HopWords {
  const { facts } = hop;
  switch (hop.kind) {
    case 'received':
      return {
        title: t('hop.receivedTitle', { method: facts.method, provider: named('provider', facts.provider) }),
        detail: request(hop, t),
      };
    case 'normalised':
      return { title: '', detail: t('hop.normalisedDetail', { events: facts.events, known: facts.duplicates }) };
    case 'dead-letter':
      return { title: named('dead', facts.reason), detail: hop.detail };
    case 'event':
      return {
        title: `${named('eventKind', facts.kind)}: ${facts.type}`,
        detail: joined(named('event', facts.state), facts.reason),
      };
    case 'turn':
      return { title: joined(named('turn', facts.outcome), facts.reason), detail: turn(hop, t) };
    case 'queued':
      return { title: t('hop.queuedTitle', { type: named('content', facts.type) }), detail: hop.detail };
    case 'attempt':
      return {
        title: t('hop.attemptTitle', { number: facts.number, outcome: named('attempt', facts.outcome ?? 'open') }),
        detail: attempt(hop),
      };
    case 'receipt':
      return { title: named('receipt', facts.status), detail: facts.isNew ? null : t('hop.nothingNew') };
  }
}

function request({ facts }: Hop, t: TFunction): string {
  const size = formatBytes(Number(facts.bytes));
  const said = t('hop.receivedDetail', { size, by: named('route', facts.by) });
  const lacking = [
    ...(facts.isAuthenticated ? [] : [t('deliveries.notAuthenticated')]),
    ...(facts.isRead === false ? [t('hop.notRead')] : []),
  ];
  return [said, ...lacking].join(', ');
}

function turn({ facts }: Hop, t: TFunction): string {
  const took = formatDuration(Number(facts.milliseconds));
  return facts.passed ? `${took}. ${t('hop.passed', { steps: facts.passed })}` : took;
}

/** What went wrong is told in the provider's own words; else how long it took. */
function attempt({ facts, detail, isProblem }: Hop): string | null {
  return isProblem || typeof facts.milliseconds !== 'number' ? detail : formatDuration(facts.milliseconds);
}

const joined = (one: string, other: unknown) => (other ? `${one}: ${other}` : one);

/** Our word for a code, where we have one. */
export function named(kind: string, code: unknown): string {
  const key = `${kind}.${code}`;
  return i18next.exists(key) ? i18next.t(key as 'provider.meta') : String(code ?? '');
}
