import type { SendingNetwork, SendOutcome } from '../channel.ts';
import { type CompleteAnswer, callProvider } from '../http/index.ts';
import type { JsonValue } from '../reading/index.ts';
import { type ErrorRow, jsonOf, judgeFailedAnswer } from './graph-error.ts';

/** One call of the Graph API and how to read its answers. */
export interface GraphCall {
  readonly path: string;
  readonly accessToken: string;
  readonly body: object;
  readonly errors: readonly ErrorRow[];
  /** The outcome that a success speaks of; undefined where what must be in it (the message id) is not. */
  readonly readSuccess: (json: JsonValue) => Extract<SendOutcome, { kind: 'sent' }> | undefined;
}

/** Posts once. An answer is a success only under 2xx, without an `error`, and with what `readSuccess` looks for. */
export async function postToGraph(call: GraphCall, network: SendingNetwork): Promise<SendOutcome> {
  const headers = {
    authorization: `Bearer ${call.accessToken}`,
    'content-type': 'application/json',
    accept: 'application/json',
  };
  const answer = await callProvider(
    { method: 'POST', path: call.path, headers, body: JSON.stringify(call.body) },
    network,
  );
  return answer.kind === 'answered' ? judge(call, answer) : answer;
}

function judge(call: GraphCall, answer: CompleteAnswer): SendOutcome {
  const json = jsonOf(answer);
  const isSuccess = answer.status >= 200 && answer.status < 300;
  const hasError = typeof json === 'object' && json !== null && Object.hasOwn(json, 'error');
  const sent = isSuccess && !hasError && json !== undefined ? call.readSuccess(json) : undefined;
  return sent ?? judgeFailedAnswer(answer, json, call.errors, Date.now());
}
