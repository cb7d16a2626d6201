import type { Failure } from '@switchyard/contract';
import { done, type Result, refused } from '#kernel';
import type { SendingNetwork, SendOutcome } from '../channel.ts';
import { type JsonValue, objectAt, parseJson } from '../reading/index.ts';
import type { CompleteAnswer } from './exchange.ts';
import { callProvider, type ProviderCall } from './send-client.ts';

/** An answer that is no success, in this provider's words. */
export type Judge = (answer: CompleteAnswer, json: JsonValue | undefined) => SendOutcome;

/**
 * A call that asks or sets something at the provider, in JSON both ways. A 2xx with JSON, or with no body at all (then
 * null), is a success; anything else is the failure that `judge` makes of it.
 */
export async function askProvider(
  call: ProviderCall,
  network: SendingNetwork,
  judge: Judge,
): Promise<Result<JsonValue, Failure>> {
  const answer = await callProvider(call, network);
  if (answer.kind !== 'answered') return refused(answer.failure);
  const parsed = answer.body.length === 0 ? undefined : parseJson(answer.body);
  const json = parsed?.ok ? parsed.value : undefined;
  const isReadable = parsed === undefined || parsed.ok;
  const isSuccess = answer.status >= 200 && answer.status < 300;
  if (isSuccess && isReadable && !hasError(json)) return done(json ?? null);
  return refused(failureOf(judge(answer, json)));
}

/** Meta puts an `error` inside a 200 now and then; an Evolution's `error: false` is none. */
function hasError(json: JsonValue | undefined): boolean {
  return objectAt(json, 'error') !== undefined;
}

function failureOf(outcome: SendOutcome): Failure {
  if (outcome.kind !== 'sent') return outcome.failure;
  return {
    code: 'answer-unreadable',
    detail: 'the answer could not be read',
    retry: { kind: 'never' },
    isCertain: false,
  };
}
