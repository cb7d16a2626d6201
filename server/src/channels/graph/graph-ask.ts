import type { Failure } from '@switchyard/contract';
import { type Result, refused } from '#kernel';
import type { SendingAccount, SendingNetwork } from '../channel.ts';
import { askProvider } from '../http/ask-provider.ts';
import type { JsonObject, JsonValue } from '../reading/index.ts';
import { type ErrorRow, judgeFailedAnswer } from './graph-error.ts';

export interface GraphQuestion {
  readonly method: 'GET' | 'POST' | 'DELETE';
  /** An object's id and, where it has one, its edge: `['1065…', 'subscribed_apps']`. */
  readonly object: readonly string[];
  readonly query?: Readonly<Record<string, string>>;
  readonly body?: JsonObject;
}

/** Whose errors the answers are, and which version is asked. */
export interface GraphSide {
  readonly errors: readonly ErrorRow[];
  readonly version: string;
}

/** A call of the Graph API that is no send. */
export async function askGraph(
  account: SendingAccount,
  question: GraphQuestion,
  side: GraphSide,
  network: SendingNetwork,
): Promise<Result<JsonValue, Failure>> {
  const { accessToken } = account.credentials;
  if (!accessToken || question.object.some((part) => !part)) return refused(incomplete);
  const path = [side.version, ...question.object].map(encodeURIComponent).join('/');
  const query = new URLSearchParams(question.query).toString();
  return askProvider(
    {
      method: question.method,
      path: `/${path}${query ? `?${query}` : ''}`,
      headers: {
        authorization: `Bearer ${accessToken}`,
        accept: 'application/json',
        ...(question.body ? { 'content-type': 'application/json' } : {}),
      },
      ...(question.body ? { body: JSON.stringify(question.body) } : {}),
    },
    network,
    (answer, json) => judgeFailedAnswer(answer, json, side.errors, Date.now()),
  );
}

const incomplete: Failure = {
  code: 'account-incomplete',
  detail: 'the account lacks its access token or its id at Meta',
  retry: { kind: 'never' },
  isCertain: true,
};
