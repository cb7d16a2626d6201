/**
 * Evolution's refusals. Source: the server's exception classes, its schema check and its WhatsApp service, 2.3.6:
 * `{status, error, response:{message}}`, where `message` is a text, a list of texts, a list of `{jid, exists, number}`, or
 * (of the schema check alone) a list in a list.
 */
import type { Failure } from '@switchyard/contract';
import type { SendOutcome } from '../channel.ts';
import { type CompleteAnswer, judgeBareAnswer } from '../http/index.ts';
import { isArray, type JsonValue, textAt, valueAt } from '../reading/index.ts';

/** Words for an instance without a connection, however they are put. */
const notConnected = /connection closed|connection lost|not connected|disconnected|precondition required/i;
/** Baileys' own and whole text when the socket is down; it looks before it writes, so nothing was sent. */
const socketClosed = /^(?:Error: )?Connection Closed$/;
/** What its JSON schemas complain of where an older server tells it in a plain list. */
const schemaComplaint = /^instance(?:\.\S+ | requires property "[^"]*"$| is not | additionalProperty )/;
/** What the server looks at before it sends (its send controller and the head of its message functions). */
const looksBefore: ReadonlySet<string> = new Set([
  'Text is required',
  'For base64 the file name must be informed.',
  'Owned media must be a url or base64',
  'Owned media must be a url, base64, or valid file with buffer',
  'File buffer, URL, or base64 audio is required',
  '"reaction" must be an emoji',
  '"instanceName" not provided.',
  'At least one button is required',
  'Maximum of 3 reply buttons allowed',
]);
const maxDetailLength = 300;

/**
 * A refusal of a send. One `try` of the server's spans the send and what it does afterwards (a row in its own database,
 * transcription, chatbots), and whatever fails there is answered 400 with the error's text: then the customer may have
 * the message. So a 400 is certain only where its text is one that is given before the send; all else is `uncertain`.
 */
export function judgeSendRefusal(answer: CompleteAnswer, body: JsonValue, nowMs: number): SendOutcome {
  const message = messageOf(body);
  const { status } = answer;
  if (status === 400 && isUnknownNumber(message)) return unknownNumber(status);
  if ((status === 400 || status === 500) && isSocketClosed(message)) return offline(wordsOf(message));
  if (status !== 400) return judgeByStatus(answer, body, nowMs);
  const words = wordsOf(message);
  return isSaidBefore(message) ? refused('request-invalid', words, status) : mayHaveLeft(words, status);
}

/** A refusal of a call that does no harm when it is made again: states, webhooks. */
export function judgeRefusal(answer: CompleteAnswer, body: JsonValue, nowMs: number): SendOutcome {
  const message = messageOf(body);
  const words = wordsOf(message) || textAt(body, 'error') || '';
  const { status } = answer;
  if (status === 400 && isUnknownNumber(message)) return unknownNumber(status);
  if ((status === 400 || status === 500) && notConnected.test(words)) return offline(words);
  if (status === 400) return refused('request-invalid', words || 'the server refused the message', status);
  return judgeByStatus(answer, body, nowMs);
}

function judgeByStatus(answer: CompleteAnswer, body: JsonValue, nowMs: number): SendOutcome {
  const words = wordsOf(messageOf(body)) || textAt(body, 'error') || '';
  const { status } = answer;
  if (status === 401 || status === 403) return refused('credentials-refused', words || 'the API key is wrong', status);
  if (status === 404) return refused('instance-missing', words || 'the server has no such instance', status);
  return withWords(judgeBareAnswer(answer, nowMs), words, status);
}

function messageOf(body: JsonValue): JsonValue | undefined {
  return valueAt(body, 'response', 'message') ?? valueAt(body, 'message');
}

function isUnknownNumber(message: JsonValue | undefined): boolean {
  return listOf(message).some((item) => valueAt(item, 'exists') === false);
}

function isSocketClosed(message: JsonValue | undefined): boolean {
  const [text, ...more] = listOf(message);
  return typeof text === 'string' && more.length === 0 && socketClosed.test(text);
}

/** Only the schema check makes a list in a list: a failure afterwards is one text. */
function isSaidBefore(message: JsonValue | undefined): boolean {
  const list = listOf(message);
  const isSaid = (item: JsonValue) =>
    isArray(item) || (typeof item === 'string' && (looksBefore.has(item) || schemaComplaint.test(item)));
  return list.length > 0 && list.every(isSaid);
}

function listOf(message: JsonValue | undefined): readonly JsonValue[] {
  if (message === undefined) return [];
  return isArray(message) ? message : [message];
}

function wordsOf(message: JsonValue | undefined): string {
  return listOf(message)
    .flatMap((item) => listOf(item))
    .map((item) => (typeof item === 'string' ? item : (textAt(item, 'message') ?? '')))
    .filter((text) => text !== '')
    .join('; ')
    .slice(0, maxDetailLength);
}

function unknownNumber(status: number): SendOutcome {
  return refused('recipient-unreachable', 'the number is not on WhatsApp', status);
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

/** Settled by the message's echo, or by a person. */
function mayHaveLeft(words: string, status: number): SendOutcome {
  const said = words ? `: ${words}` : '';
  const detail = `the server failed, and may have sent the message before it did${said}`;
  const failure: Failure = {
    code: 'provider-error',
    detail,
    retry: { kind: 'never' },
    isCertain: false,
    providerCode: String(status),
  };
  return { kind: 'uncertain', failure };
}

function withWords(outcome: SendOutcome, words: string, status: number): SendOutcome {
  if (outcome.kind === 'sent') return outcome;
  const detail = words ? `${outcome.failure.detail} (${words})` : outcome.failure.detail;
  return { ...outcome, failure: { ...outcome.failure, detail, providerCode: String(status) } };
}
