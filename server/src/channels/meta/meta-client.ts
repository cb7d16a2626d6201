import type { SendingAccount, SendingNetwork, SendOutcome, SendRequest } from '../channel.ts';
import { checkContent, postToGraph, refusedContent } from '../graph/index.ts';
import { flagAt, idAt, type JsonValue, present } from '../reading/index.ts';
import { defaultGraphVersion, metaCapabilities } from './capabilities.ts';
import { metaErrors } from './errors.ts';
import { addressOf, messageBody } from './message-body.ts';

/** Sends one message once. `sent` means accepted by Meta; what becomes of it comes as receipts. */
export async function sendMeta(
  account: SendingAccount,
  request: SendRequest,
  network: SendingNetwork,
): Promise<SendOutcome> {
  const refusal = checkContent(request.content, metaCapabilities) ?? checkMedia(request);
  if (refusal) return refusal;
  const address = addressOf(request.to);
  if (!address)
    return refusedContent('address-unusable', 'there is no phone, wa_id or business-scoped user id to send to');
  return post(account, messageBody(address, request), network, readSent);
}

export async function markMetaRead(
  account: SendingAccount,
  providerMessageId: string,
  network: SendingNetwork,
): Promise<SendOutcome> {
  const body = { messaging_product: 'whatsapp', status: 'read', message_id: providerMessageId };
  return post(account, body, network, (json) =>
    flagAt(json, 'success') ? { kind: 'sent', providerMessageId } : undefined,
  );
}

type ReadSuccess = Parameters<typeof postToGraph>[0]['readSuccess'];

async function post(
  account: SendingAccount,
  body: object,
  network: SendingNetwork,
  readSuccess: ReadSuccess,
): Promise<SendOutcome> {
  const { accessToken } = account.credentials;
  const { phoneNumberId, graphVersion } = account.settings;
  if (!accessToken || !phoneNumberId) {
    return refusedContent('account-incomplete', 'the account lacks its access token or its phone number id');
  }
  const version = graphVersion || defaultGraphVersion;
  const path = `/${encodeURIComponent(version)}/${encodeURIComponent(phoneNumberId)}/messages`;
  return postToGraph({ path, accessToken, body, errors: metaErrors, readSuccess }, network);
}

/** `wa_id` may differ from what we sent to (a ninth digit in Brazil); a user without a phone has a user id instead. */
function readSent(json: JsonValue): ReturnType<ReadSuccess> {
  const providerMessageId = idAt(json, 'messages', 0, 'id');
  if (providerMessageId === undefined) return undefined;
  const customerId = idAt(json, 'contacts', 0, 'wa_id') ?? idAt(json, 'contacts', 0, 'user_id');
  return present({ kind: 'sent', providerMessageId, customerId });
}

/** Bytes alone cannot go into a message: they have to be uploaded, or lie where Meta can fetch them. */
function checkMedia({ content }: SendRequest): SendOutcome | undefined {
  if (!('media' in content) || content.media.id !== undefined || content.media.url !== undefined) return undefined;
  return refusedContent('media-without-address', 'the media has neither an id at Meta nor a URL');
}
