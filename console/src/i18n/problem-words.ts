import type { MessageView } from '@switchyard/contract';
import i18next from 'i18next';
import { ProblemError } from '../api/problem-error.ts';

/** Why a message waits or has failed: in the chosen language where we have words for its code. */
export function wordsOfError(error: NonNullable<MessageView['error']>): string {
  const key = `held.${error.code}`;
  if (i18next.exists(key)) return i18next.t(key as 'held.QuietHours', error.facts);
  return error.detail || error.code;
}

/** What a provider answered, where it is told as a fact and not as a refusal of ours. */
export function wordsOfFailure({ code, detail }: { readonly code: string; readonly detail: string }): string {
  const key = `problem.${code}`;
  return i18next.exists(key) ? i18next.t(key as 'problem.failed') : detail;
}

/** A refusal in the chosen language where we have words for its code, else as the server put it. */
export function wordsOf(error: unknown): string {
  if (!(error instanceof ProblemError)) return i18next.t('problem.failed');
  if (error.code === 'slow-down' && error.retryAfterSeconds !== null) {
    return i18next.t('problem.slow-down-seconds', { count: error.retryAfterSeconds });
  }
  if (error.code === 'forbidden' && /https/.test(error.message)) return i18next.t('problem.https');
  const key = `problem.${error.code}`;
  return i18next.exists(key) ? i18next.t(key as 'problem.failed') : error.message;
}
