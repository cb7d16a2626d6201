/**
 * Sends one message by Twilio's REST API (2010-04-01, Messages resource). Twilio has no idempotency key, so an
 * interrupted call is uncertain until a status callback names the attempt.
 */
import type { Failure } from '@switchyard/contract';
import type { SendingAccount, SendingNetwork, SendOutcome, SendRequest } from '../channel.ts';
import { checkContent, refusedContent } from '../graph/content-limits.ts';
import { type CompleteAnswer, callProvider, judgeBareAnswer, later, mayHaveBeenTaken } from '../http/index.ts';
import { idAt, type JsonValue, parseJson, textAt } from '../reading/index.ts';
import { basicAuthorization } from './authorization.ts';
import { twilioCapabilities } from './capabilities.ts';
import { knownFailure } from './errors.ts';
import { messageForm } from './message-form.ts';

export async function sendByTwilio(
  account: SendingAccount,
  request: SendRequest,
  network: SendingNetwork,
): Promise<SendOutcome> {
  const refusal = checkContent(request.content, twilioCapabilities);
  if (refusal) return refusal;
  const accountSid = account.settings.accountSid;
  const authorization = basicAuthorization(account);
  if (!accountSid || !authorization) {
    return refusedContent('account-incomplete', 'the account lacks its account SID or its auth token');
  }
  const form = messageForm(account, request);
  if (!form.ok) return { kind: 'refused', failure: form.refusal };
  const answer = await callProvider(
    {
      method: 'POST',
      path: `/2010-04-01/Accounts/${encodeURIComponent(accountSid)}/Messages.json`,
      headers: { authorization, 'content-type': 'application/x-www-form-urlencoded', accept: 'application/json' },
      body: form.value,
    },
    network,
  );
  return answer.kind === 'answered' ? judge(answer) : answer;
}

function judge(answer: CompleteAnswer): SendOutcome {
  const nowMs = Date.now();
  const parsed = parseJson(answer.body);
  if (!parsed.ok) return judgeBareAnswer(answer, nowMs);
  const body = parsed.value;
  if (answer.status >= 200 && answer.status < 300) return judgeTaken(answer, body, nowMs);
  return judgeTwilioRefusal(answer, body);
}

/** An answer that is no success, by Twilio's code where there is one. */
export function judgeTwilioRefusal(answer: CompleteAnswer, body: JsonValue | undefined): SendOutcome {
  const nowMs = Date.now();
  const providerCode = idAt(body, 'code');
  if (providerCode === undefined) return judgeBareAnswer(answer, nowMs);
  // The older form says `message`, the newer one (RFC 9457) `title` and `detail`.
  const words = textAt(body, 'message') ?? textAt(body, 'detail') ?? textAt(body, 'title');
  const known = knownFailure(providerCode, words);
  if (known && !mayHaveBeenTaken(known.code, answer.status)) {
    return { kind: 'refused', failure: withRetryAfter(known, answer, nowMs) };
  }
  return withProviderCode(judgeBareAnswer(answer, nowMs), providerCode, words);
}

/** `sid` means taken, not sent. A message that Twilio made and failed at once says so in the same answer. */
function judgeTaken(answer: CompleteAnswer, body: JsonValue, nowMs: number): SendOutcome {
  const errorCode = idAt(body, 'error_code');
  const failed = errorCode === undefined ? undefined : knownFailure(errorCode, textAt(body, 'error_message'));
  if (failed && ['failed', 'undelivered'].includes(textAt(body, 'status') ?? '')) {
    return { kind: 'refused', failure: failed };
  }
  const sid = idAt(body, 'sid');
  return sid === undefined ? judgeBareAnswer(answer, nowMs) : { kind: 'sent', providerMessageId: sid };
}

function withRetryAfter(failure: Failure, answer: CompleteAnswer, nowMs: number): Failure {
  if (failure.retry.kind !== 'later') return failure;
  return { ...failure, retry: later(answer, nowMs, failure.retry.afterMs) };
}

function withProviderCode(outcome: SendOutcome, providerCode: string, words: string | undefined): SendOutcome {
  if (outcome.kind === 'sent') return outcome;
  const detail = words ?? outcome.failure.detail;
  return { ...outcome, failure: { ...outcome.failure, detail, providerCode } };
}
