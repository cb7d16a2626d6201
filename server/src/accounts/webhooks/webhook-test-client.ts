/** Sends a marked test delivery to an account's own webhook, signed as its provider signs. */
import type { Failure } from '@switchyard/contract';
import { anywhere, callProvider, defaultSendTimeouts } from '#channels';
import { done, type Result, refused } from '#kernel';
import type { ServingAccount } from '../accounts.ts';
import { signedTestRequest } from './test-request.ts';

export interface WebhookTried {
  /** Scheme and host that were called. */
  readonly calledUrl: string;
  readonly status: number;
  readonly milliseconds: number;
  /** The beginning of the answer. */
  readonly body: string;
}

const maxBodyShown = 500;

export interface WebhookTest {
  /** With the token: as the provider knows it, which is what Twilio signs. */
  readonly webhookUrl: string;
  /** Scheme and host to call; the operator's own, so no check of the address. */
  readonly calledUrl: string;
}

/** No customer's message is in it, and no reply goes out to anybody. */
export async function tryWebhook(
  account: ServingAccount,
  test: WebhookTest,
  now: Date,
): Promise<Result<WebhookTried, Failure>> {
  const { headers, body } = signedTestRequest(account, test.webhookUrl, now);
  const started = performance.now();
  const { pathname } = new URL(test.webhookUrl, 'http://localhost');
  const answer = await callProvider(
    { method: 'POST', path: pathname, headers, body },
    { baseUrl: test.calledUrl, reach: anywhere, timeouts: defaultSendTimeouts, signal: new AbortController().signal },
  );
  if (answer.kind !== 'answered') return refused(answer.failure);
  return done({
    calledUrl: test.calledUrl,
    status: answer.status,
    milliseconds: Math.round(performance.now() - started),
    body: Buffer.from(answer.body).toString('utf8').slice(0, maxBodyShown),
  });
}
