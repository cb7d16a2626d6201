import type { SessionFailure } from './channel.ts';

/** Asking again does no harm: what is unreachable may be tried later, what is refused will be refused again. */
export function failedSession(kind: SessionFailure['kind'], code: string, detail: string): SessionFailure {
  const retry = { kind: kind === 'unreachable' ? 'later' : 'never' } as const;
  return { kind, failure: { code, detail, retry, isCertain: true } };
}

export const unreadableSession = failedSession('unreachable', 'answer-unreadable', 'the answer could not be read');
