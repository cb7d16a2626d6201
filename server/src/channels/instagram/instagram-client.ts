import type { OutboundContent } from '@switchyard/contract';
import type { SendingAccount, SendingNetwork, SendOutcome, SendRequest } from '../channel.ts';
import { checkContent, postToGraph, refusedContent } from '../graph/index.ts';
import { idAt, present } from '../reading/index.ts';
import { defaultGraphVersion, instagramCapabilities } from './capabilities.ts';
import { instagramErrors } from './errors.ts';
import { messageBody } from './message-body.ts';

/**
 * Sends one direct message once. A message answered to is not quoted: the API documents no way. The path names `me`, which
 * both logins take: the token says whose it is.
 */
export async function sendInstagram(
  account: SendingAccount,
  request: SendRequest,
  network: SendingNetwork,
): Promise<SendOutcome> {
  const { content } = request;
  const refusal = checkContent(content, instagramCapabilities) ?? checkMedia(content);
  if (refusal) return refusal;
  const recipientId = request.to.find(({ kind, value }) => kind === 'instagram' && value !== '')?.value;
  if (recipientId === undefined) return refusedContent('address-unusable', 'there is no Instagram id to send to');
  const body = messageBody(recipientId, content);
  if (!body) return refusedContent('content-unsupported', `Instagram takes no ${content.type}`);
  return post(account, body, network);
}

async function post(account: SendingAccount, body: object, network: SendingNetwork): Promise<SendOutcome> {
  const { accessToken } = account.credentials;
  if (!accessToken) return refusedContent('account-incomplete', 'the account lacks its access token');
  const path = `/${encodeURIComponent(account.settings.graphVersion || defaultGraphVersion)}/me/messages`;
  const errors = instagramErrors;
  return postToGraph({ path, accessToken, body, errors, readSuccess }, network);
}

function readSuccess(json: Parameters<typeof idAt>[0]): Extract<SendOutcome, { kind: 'sent' }> | undefined {
  const providerMessageId = idAt(json, 'message_id');
  if (providerMessageId === undefined) return undefined;
  return present({ kind: 'sent', providerMessageId, customerId: idAt(json, 'recipient_id') });
}

/** An attachment goes alone: a caption would be a second message, and one send is one message. */
function checkMedia(content: OutboundContent): SendOutcome | undefined {
  if (!('media' in content)) return undefined;
  if (content.caption) return refusedContent('caption-unsupported', 'Instagram takes no text beside an attachment');
  if (content.media.id !== undefined || content.media.url !== undefined) return undefined;
  return refusedContent('media-without-address', 'the media has neither an id at Meta nor a URL');
}
