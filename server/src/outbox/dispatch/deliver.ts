import type { ServingAccount } from '#accounts';
import type { SendingNetwork, SendOutcome, SendRequest } from '#channels';
import type { MarkedMessage } from './walk.ts';

export interface DeliverDeps {
  /** Base URL and time-outs for this account. */
  networkOf(account: ServingAccount): Omit<SendingNetwork, 'signal'>;
  /** Where this provider shall report receipts, signed for; undefined where it needs no telling. */
  statusCallbackUrl(account: ServingAccount, attemptId: string): string | undefined;
}

/** The request itself. Takes only what was marked. A channel that throws has broken its promise: nobody knows what left. */
export async function deliver(deps: DeliverDeps, message: MarkedMessage, signal: AbortSignal): Promise<SendOutcome> {
  const { account, channel } = message;
  const credentials = { credentials: account.secrets, settings: account.settings };
  const network = { ...deps.networkOf(account), signal };
  const request = requestOf(deps, message);
  try {
    return await channel.send(credentials, request, network);
  } catch (error) {
    const detail = error instanceof Error ? error.message : String(error);
    return { kind: 'uncertain', failure: { code: 'ChannelBroke', detail, retry: { kind: 'never' }, isCertain: false } };
  }
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
