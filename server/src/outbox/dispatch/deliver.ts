import type { Failure } from '@switchyard/contract';
import type { ServingAccount } from '#accounts';
import type { SendingNetwork, SendOutcome, SendRequest } from '#channels';
import type { MarkedMessage } from './walk.ts';

export interface DeliverDeps {
  /** Base URL and time-outs for this account. */
  networkOf(account: ServingAccount): Omit<SendingNetwork, 'signal'>;
  /** Where this provider shall report receipts, signed for; undefined where it needs no telling. */
  statusCallbackUrl(account: ServingAccount, attemptId: string): string | undefined;
}

/** The request itself. Takes only what was marked. */
export async function deliver(deps: DeliverDeps, message: MarkedMessage, signal: AbortSignal): Promise<SendOutcome> {
  const prepared = prepare(deps, message, signal);
  if ('failure' in prepared) return { kind: 'unreachable', failure: prepared.failure };
  const { secrets: credentials, settings } = message.account;
  try {
    return await message.channel.send({ credentials, settings }, prepared.request, prepared.network);
  } catch (error) {
    // A channel that throws has broken its promise: nobody knows what left.
    const failure = {
      code: 'ChannelBroke',
      detail: detailOf(error),
      retry: { kind: 'never' },
      isCertain: false,
    } as const;
    return { kind: 'uncertain', failure };
  }
}

type Prepared = { readonly request: SendRequest; readonly network: SendingNetwork } | { readonly failure: Failure };

function prepare(deps: DeliverDeps, message: MarkedMessage, signal: AbortSignal): Prepared {
  try {
    return { request: requestOf(deps, message), network: { ...deps.networkOf(message.account), signal } };
  } catch (error) {
    return { failure: { code: 'NotPrepared', detail: detailOf(error), retry: { kind: 'later' }, isCertain: true } };
  }
}

function detailOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function requestOf(deps: DeliverDeps, message: MarkedMessage): SendRequest {
  const { claimed, account, attemptId } = message;
  const statusCallbackUrl = deps.statusCallbackUrl(account, attemptId);
  return {
    attemptId,
    to: claimed.address,
    content: claimed.content,
    ...(claimed.replyTo === null ? {} : { replyTo: claimed.replyTo }),
    ...(statusCallbackUrl === undefined ? {} : { statusCallbackUrl }),
  };
}

/** The mark did not come back in time, or a stop came between: nothing has left, whatever the database says. */
export const notSent: SendOutcome = {
  kind: 'unreachable',
  failure: {
    code: 'NotSent',
    detail: 'The message was given back before the request left.',
    retry: { kind: 'later' },
    isCertain: true,
  },
};
