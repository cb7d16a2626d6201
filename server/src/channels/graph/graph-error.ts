/** Errors of the Graph API: read from an answer, and translated by a table of codes into what they mean for a send. */
import type { Failure, Retry } from '@switchyard/contract';
import type { SendOutcome } from '../channel.ts';
import { type CompleteAnswer, judgeBareAnswer, later, mayHaveBeenTaken } from '../http/index.ts';
import { cleanText, flagAt, type JsonValue, numberAt, objectAt, parseJson, present, textAt } from '../reading/index.ts';

/** `{error: {message, code, error_subcode, error_data: {details}, is_transient}}`; codes are numbers, or text in some proxies. */
export interface GraphError {
  readonly code: number | undefined;
  readonly subcode: number | undefined;
  readonly message: string;
  readonly isTransient: boolean;
}

/** What a code means. `waitMs` is the first wait where the provider names one; absent leaves it to the caller's back-off. */
export type Advice =
  | { readonly failure: string; readonly retry: 'never' }
  | { readonly failure: string; readonly retry: 'later'; readonly waitMs?: number };

/** One row: every code of `codes`, or from the first to the last of `range`. */
export interface ErrorRow {
  readonly codes?: readonly number[];
  readonly range?: readonly [first: number, last: number];
  /** Only with one of these subcodes. Rows that ask for subcodes stand before those that do not. */
  readonly subcodes?: readonly number[];
  readonly advice: Advice;
}

export const maxDetailLength = 500;

export function findAdvice(table: readonly ErrorRow[], error: GraphError): Advice | undefined {
  const { code, subcode } = error;
  if (code === undefined) return undefined;
  return table.find((row) => {
    const isSubcode = row.subcodes === undefined || (subcode !== undefined && row.subcodes.includes(subcode));
    return isSubcode && (row.codes?.includes(code) || isWithin(row.range, code));
  })?.advice;
}

function isWithin(range: ErrorRow['range'], code: number): boolean {
  return range !== undefined && code >= range[0] && code <= range[1];
}

/** The answer's JSON, undefined where it is none. */
export function jsonOf(answer: CompleteAnswer): JsonValue | undefined {
  const parsed = parseJson(answer.body);
  return parsed.ok ? parsed.value : undefined;
}

export function readGraphError(json: JsonValue | undefined): GraphError | undefined {
  const error = objectAt(json, 'error');
  if (!error) return undefined;
  const details = textAt(error, 'error_data', 'details');
  const message = textAt(error, 'message') ?? 'the provider gave no reason';
  return {
    code: numberAt(error, 'code'),
    subcode: numberAt(error, 'error_subcode'),
    message: cleanText(details ? `${message}: ${details}` : message).slice(0, maxDetailLength),
    isTransient: flagAt(error, 'is_transient'),
  };
}

/**
 * What an answer without a message id means. Meta's own word (an `error` object, under whatever HTTP status, 200
 * included) is certain if the table knows its code, or if the status is not a 5xx. An unknown 5xx stays uncertain; so does
 * a breakdown that may have come after the message was taken.
 */
export function judgeFailedAnswer(
  answer: CompleteAnswer,
  json: JsonValue | undefined,
  table: readonly ErrorRow[],
  nowMs: number,
): SendOutcome {
  const error = readGraphError(json);
  if (!error) return judgeBareAnswer(answer, nowMs);
  const advice = findAdvice(table, error) ?? adviceByStatus(answer.status, error);
  if (!advice || mayHaveBeenTaken(advice.failure, answer.status)) return judgeUnknown5xx(error);
  return { kind: 'refused', failure: failureOf(error, advice.failure, retryOf(advice, answer, nowMs), true) };
}

function adviceByStatus(status: number, error: GraphError): Advice | undefined {
  if (status === 429) return { failure: 'rate-limited', retry: 'later' };
  if (error.isTransient) return { failure: 'provider-unavailable', retry: 'later' };
  if (status >= 500) return undefined;
  return { failure: status === 401 ? 'token-invalid' : 'provider-refused', retry: 'never' };
}

function judgeUnknown5xx(error: GraphError): SendOutcome {
  return { kind: 'uncertain', failure: failureOf(error, 'provider-error', { kind: 'never' }, false) };
}

function retryOf(advice: Advice, answer: CompleteAnswer, nowMs: number): Retry {
  return advice.retry === 'never' ? { kind: 'never' } : later(answer, nowMs, advice.waitMs);
}

function failureOf(error: GraphError, code: string, retry: Retry, isCertain: boolean): Failure {
  const providerCode = error.code === undefined ? undefined : String(error.code);
  return present({ code, detail: error.message, retry, isCertain, providerCode });
}
