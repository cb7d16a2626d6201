/**
 * Meta's error codes as its documents list them (providers.md 1.9): the HTTP status of the answer, the title, and
 * what `details` says. Rate limits come as 400; classify by code.
 */
import { jsonReply, type Reply } from '../http/exchange.ts';
import type { Random } from '../world/random.ts';

type Row = readonly [http: number, title: string, details: string];

const rows: Readonly<Record<string, Row>> = {
  '0': [401, 'AuthException', 'We were unable to authenticate the app user.'],
  '1': [400, 'API Unknown', 'Invalid request or possible server error.'],
  '2': [503, 'API Service', 'Temporary due to downtime or due to being overloaded.'],
  '3': [500, 'API Method', 'Capability or permissions issue.'],
  '4': [400, 'API Too Many Calls', 'The app has reached its API call rate limit.'],
  '10': [403, 'API Permission Denied', 'Permission is either not granted or has been removed.'],
  '17': [400, 'User request limit reached', 'User request limit reached.'],
  '32': [400, 'Page request limit reached', 'Page request limit reached.'],
  '33': [400, 'Parameter value is not valid', 'The business phone number has been deleted.'],
  '100': [400, 'Invalid parameter', 'The request included one or more unsupported or misspelled parameters.'],
  '190': [401, 'Access token has expired', 'Your access token has expired.'],
  '200': [403, 'API Permission', 'Permission is either not granted or has been removed.'],
  '368': [403, 'Temporarily blocked for policies violations', 'The account has been restricted or disabled.'],
  '551': [400, "This person isn't available right now.", 'The person cannot receive messages from this account.'],
  '613': [400, 'Calls to this api have exceeded the rate limit.', 'Calls to this API have exceeded the rate limit.'],
  '36000': [400, 'Image size is too large', 'The image size exceeds the limit.'],
  '80007': [400, 'Rate limit issues', 'The WhatsApp Business Account has reached its rate limit.'],
  '130429': [400, 'Rate limit hit', 'Cloud API message throughput has been reached.'],
  '130472': [400, "User's number is part of an experiment", 'Message was not sent as part of an experiment.'],
  '130497': [400, 'Business account is restricted from messaging users in this country.', 'Country not allowed.'],
  '131000': [500, 'Something went wrong', 'Message failed to send due to an unknown error.'],
  '131005': [403, 'Access denied', 'Permission is either not granted or has been removed.'],
  '131008': [400, 'Required parameter is missing', 'The request is missing a required parameter.'],
  '131009': [400, 'Parameter value is not valid', 'One or more parameter values are invalid.'],
  '131016': [500, 'Service unavailable', 'A service is temporarily unavailable.'],
  '131021': [400, 'Recipient cannot be sender', 'Sender and recipient phone number is the same.'],
  '131026': [400, 'Message undeliverable', 'Unable to deliver message.'],
  '131030': [400, 'Recipient phone number not in allowed list', 'Recipient phone number not in allowed list.'],
  '131031': [403, 'Account has been locked', 'The account has been restricted or disabled.'],
  '131037': [400, 'Display name approval required', 'The display name of the number is not approved.'],
  '131042': [400, 'Business eligibility payment issue', 'There was an error related to your payment method.'],
  '131044': [400, 'Business eligibility payment issue', 'There was an error related to your payment method.'],
  '131045': [500, 'Incorrect certificate', 'Message failed to send due to a phone number registration error.'],
  '131047': [400, 'Re-engagement message', 'More than 24 hours have passed since the recipient last replied.'],
  '131048': [400, 'Spam rate limit hit', 'Message failed to send because of restrictions on this phone number.'],
  '131049': [400, 'Message not delivered to maintain healthy ecosystem engagement.', 'Meta chose not to deliver.'],
  '131050': [400, 'User has stopped receipt of marketing messages', 'The user stopped marketing messages.'],
  '131051': [400, 'Unsupported message type', 'Unsupported message type.'],
  '131052': [400, 'Media download error', 'Unable to download the media sent by the user.'],
  '131053': [400, 'Media upload error', 'Unable to upload the media used in the message.'],
  '131056': [400, '(Business Account, Consumer Account) pair rate limit hit', 'Too many messages to the same number.'],
  '131057': [500, 'Account in maintenance mode', 'The business account is in maintenance mode.'],
  '131062': [400, 'Business-scoped user id not allowed', 'Authentication templates need a phone number.'],
  '131063': [400, 'Marketing messages disabled', 'Marketing messages are disabled for this account.'],
  '131064': [400, 'Portfolio limit reached', 'The messaging limit of the portfolio has been reached.'],
  '132000': [400, 'Template Param Count Mismatch', 'The number of parameters does not match the template.'],
  '132001': [404, 'Template does not exist', 'The template does not exist in the language or is not approved.'],
  '132005': [400, 'Template Hydrated Text Too Long', 'Translated text is too long.'],
  '132007': [400, 'Template Format Character Policy Violated', 'Template content violates a policy.'],
  '132008': [400, 'Template Parameter Missing', 'A template parameter is missing.'],
  '132012': [400, 'Template Parameter Format Mismatch', 'Variable parameter values formatted incorrectly.'],
  '132015': [400, 'Template is Paused', 'The template is paused due to low quality.'],
  '132016': [400, 'Template is Disabled', 'The template has been paused too many times.'],
  '132068': [400, 'Flow is blocked', 'The flow is in blocked state.'],
  '132069': [400, 'Flow is throttled', 'The flow is in throttled state.'],
  '133000': [500, 'Incomplete Deregistration', 'A previous deregistration attempt failed.'],
  '133004': [503, 'Server Temporarily Unavailable', 'The server is temporarily unavailable.'],
  '133005': [400, 'Two step verification PIN Mismatch', 'Two-step verification PIN incorrect.'],
  '133006': [400, 'Phone number re-verification needed', 'The phone number needs to be verified.'],
  '133008': [400, 'Too Many two step verification PIN Guesses', 'Too many PIN guesses.'],
  '133009': [400, 'Two step verification PIN Guessed Too Fast', 'PIN was entered too quickly.'],
  '133010': [400, 'Phone number Not Registered', 'The phone number is not registered.'],
  '133015': [400, 'Please wait a few minutes', 'The phone number was recently deleted.'],
  '133016': [400, 'Account register deregister rate limit', 'Too many registration attempts.'],
  '134101': [400, 'Template is still syncing', 'The template is not available for sending yet.'],
  '135000': [400, 'Generic user error', 'Message failed to send because of an unknown error with your parameters.'],
};

export const knownErrorCodes: readonly string[] = Object.keys(rows);

export interface GraphRefusal {
  readonly code: string;
  readonly details?: string;
}

export function graphError(refusal: GraphRefusal, random: Random, product: 'whatsapp' | 'instagram'): Reply {
  const [http, title, details] = rowOf(refusal.code);
  const words = refusal.details ?? details;
  const error = {
    message: `(#${refusal.code}) ${product === 'instagram' ? words : title}`,
    type: http === 401 || product === 'whatsapp' ? 'OAuthException' : 'IGApiException',
    code: Number(refusal.code),
    ...(product === 'whatsapp' ? { error_data: { messaging_product: 'whatsapp', details: words } } : {}),
    fbtrace_id: `A${random.hex(22)}`,
  };
  const headers = http === 401 ? { 'www-authenticate': `OAuth "Facebook Platform" "invalid_token" "${title}"` } : {};
  return jsonReply(http, { error }, headers);
}

/** The form in which statuses carry an error. */
export function statusError(code: string): Record<string, unknown> {
  const [, title, details] = rowOf(code);
  return {
    code: Number(code),
    title,
    message: title,
    error_data: { details },
    href: 'https://developers.facebook.com/docs/whatsapp/cloud-api/support/error-codes/',
  };
}

function rowOf(code: string): Row {
  return rows[code] ?? [400, 'Unknown error', 'Unknown error.'];
}
