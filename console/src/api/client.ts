/**
 * Asks the server, and takes only answers that fit the contract.
 *
 * Every request names the workspace that is being looked at. A session that has ended calls the listener that was
 * given to `onSignedOut`, once for each answer, and rejects all the same.
 */
import { noteBusy } from './busy.ts';
import { type ProblemError, problemFrom, unreachable } from './problem-error.ts';

export const requestTimeoutMs = 30_000;

export type Query = Readonly<Record<string, string | number | undefined>>;

export interface Ask {
  readonly query?: Query;
  readonly body?: unknown;
  /** For a POST that must take effect once however often it is sent. */
  readonly idempotencyKey?: string;
  readonly signal?: AbortSignal;
}

type Method = 'GET' | 'POST' | 'PATCH' | 'DELETE';

let workspace: string | null = null;
let signedOut: () => void = () => {};

export function useWorkspaceForRequests(id: string | null): void {
  workspace = id;
}

export function onSignedOut(listener: () => void): void {
  signedOut = listener;
}

/** A schema of the contract: takes the answer or throws. */
interface Shape<Answer> {
  parse(value: unknown): Answer;
}

export async function ask<Answer>(shape: Shape<Answer>, method: Method, path: string, more: Ask = {}): Promise<Answer> {
  const response = await answerTo(method, path, more);
  return shape.parse(await response.json());
}

/** For answers without a body. */
export async function tell(method: Method, path: string, more: Ask = {}): Promise<void> {
  await answerTo(method, path, more);
}

async function answerTo(method: Method, path: string, more: Ask): Promise<Response> {
  const response = await fetch(urlOf(path, more.query), {
    method,
    headers: headersOf(more),
    signal: timeLimited(more.signal),
    ...(more.body === undefined ? {} : { body: JSON.stringify(more.body) }),
  }).catch((cause: unknown) => {
    if (more.signal?.aborted) throw cause;
    throw unreachable(cause);
  });
  if (response.ok) return response;
  const problem = await problemFrom(response);
  if (problem.code === 'busy') noteBusy();
  if (isSignedOut(problem)) signedOut();
  throw problem;
}

function isSignedOut(error: ProblemError): boolean {
  return error.problem.status === 401 && error.code === 'unauthenticated';
}

function timeLimited(signal: AbortSignal | undefined): AbortSignal {
  const limit = AbortSignal.timeout(requestTimeoutMs);
  return signal ? AbortSignal.any([signal, limit]) : limit;
}

function urlOf(path: string, query: Query = {}): string {
  const given = Object.entries(query).filter(([, value]) => value !== undefined && value !== '');
  const text = new URLSearchParams(given.map(([name, value]) => [name, String(value)])).toString();
  return `/api/v1${path}${text ? `?${text}` : ''}`;
}

function headersOf(more: Ask): Record<string, string> {
  return {
    accept: 'application/json',
    ...(more.body === undefined ? {} : { 'content-type': 'application/json' }),
    ...(workspace ? { 'x-switchyard-workspace': workspace } : {}),
    ...(more.idempotencyKey ? { 'idempotency-key': more.idempotencyKey } : {}),
  };
}
