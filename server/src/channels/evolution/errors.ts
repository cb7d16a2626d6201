/**
 * Evolution's refusals. Source: the server's exception classes and WhatsApp service, 2.3.6: `{status, error,
 * response:{message}}`, where `message` is a text, a list of texts, or a list of `{jid, exists, number}`.
 */
import type { Failure } from '@switchyard/contract';
import type { SendOutcome } from '../channel.ts';
import { type CompleteAnswer, judgeBareAnswer } from '../http/index.ts';
import { isArray, isObject, type JsonValue, textAt, valueAt } from '../reading/index.ts';

/** Baileys' words when the socket is down; it looks before it writes, so nothing was sent. */
const notConnected = /connection closed|connection lost|not connected|disconnected|precondition required/i;
const maxDetailLength = 300;

export function judgeRefusal(answer: CompleteAnswer, body: JsonValue, nowMs: number): SendOutcome {
  const message = valueAt(body, 'response', 'message') ?? valueAt(body, 'message');
  const words = wordsOf(message) || textAt(body, 'error') || '';
  const { status } = answer;
  if (status === 400 && isUnknownNumber(message)) {
    return refused('recipient-unreachable', 'the number is not on WhatsApp', status);
  }
  if ((status === 400 || status === 500) && notConnected.test(words)) return offline(words);
  if (status === 400) return refused('request-invalid', words || 'the server refused the message', status);
  if (status === 401 || status === 403) return refused('credentials-refused', words || 'the API key is wrong', status);
  if (status === 404) return refused('instance-missing', words || 'the server has no such instance', status);
  return withWords(judgeBareAnswer(answer, nowMs), words, status);
}

function isUnknownNumber(message: JsonValue | undefined): boolean {
  const list = isArray(message) ? message : [message];
  return list.some((item) => valueAt(item, 'exists') === false);
}

function wordsOf(message: JsonValue | undefined): string {
  const list = isArray(message) ? message : [message];
  const words = list.map((item) =>
    isObject(item) ? (textAt(item, 'message') ?? '') : typeof item === 'string' ? item : '',
  );
  return words
    .filter((text) => text !== '')
    .join('; ')
    .slice(0, maxDetailLength);
}

function refused(code: string, detail: string, status: number): SendOutcome {
  const failure: Failure = { code, detail, retry: { kind: 'never' }, isCertain: true, providerCode: String(status) };
  return { kind: 'refused', failure };
}

/** Comes right by itself or by a person with a phone in hand; either way the message has not gone. */
function offline(words: string): SendOutcome {
  const failure: Failure = { code: 'not-connected', detail: words, retry: { kind: 'later' }, isCertain: true };
  return { kind: 'unreachable', failure };
}

function withWords(outcome: SendOutcome, words: string, status: number): SendOutcome {
  if (outcome.kind === 'sent') return outcome;
  const detail = words ? `${outcome.failure.detail} (${words})` : outcome.failure.detail;
  return { ...outcome, failure: { ...outcome.failure, detail, providerCode: String(status) } };
}
