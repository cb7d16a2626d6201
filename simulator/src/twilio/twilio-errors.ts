/** Twilio's codes (providers.md 3.6) and the two forms in which it words a refusal. */
import { jsonReply, type Reply } from '../http/exchange.ts';

const texts: Readonly<Record<string, readonly [http: number, message: string]>> = {
  '20001': [400, 'Invalid parameter'],
  '20003': [401, 'Authenticate'],
  '20404': [404, 'The requested resource was not found'],
  '20429': [429, 'Too Many Requests'],
  '20500': [500, 'Internal Server Error'],
  '21211': [400, "Invalid 'To' Phone Number"],
  '21408': [400, 'Permission to send an SMS has not been enabled for the region'],
  '21602': [400, 'Message body is required.'],
  '21603': [400, "A 'From' phone number is required."],
  '21604': [400, "A 'To' phone number is required."],
  '21606': [400, 'The From phone number is not a valid, SMS-capable inbound phone number for your account.'],
  '21608': [400, 'The number is unverified. Trial accounts cannot send messages to unverified numbers.'],
  '21609': [400, 'Invalid StatusCallback URL'],
  '21610': [400, 'Attempt to send to unsubscribed recipient'],
  '21611': [429, "This 'From' number has exceeded the maximum number of queued messages"],
  '21612': [400, "The 'To' phone number is not currently reachable via SMS"],
  '21614': [400, "'To' number is not a valid mobile number"],
  '21617': [400, 'The concatenated message body exceeds the 1600 character limit'],
  '21620': [400, 'Invalid media URL(s)'],
  '21623': [400, 'Number of media files exceeds allowed limit'],
  '21655': [400, 'The ContentSid is invalid'],
  '21656': [400, 'The Content Variables parameter is invalid'],
  '21703': [400, 'The Messaging Service does not have a phone number available'],
  '21910': [400, "Invalid 'From' and 'To' pair. 'From' and 'To' should be of the same channel"],
  '30001': [429, 'Queue overflow'],
  '30002': [403, 'Account suspended'],
  '30008': [400, 'Unknown error'],
  '63001': [400, 'Channel could not authenticate the request'],
  '63003': [400, 'Channel could not find To address'],
  '63007': [400, 'Twilio could not find a Channel with the specified From address'],
  '63016': [400, 'Failed to send freeform message because you are outside the allowed window. Use a Message Template.'],
  '63018': [429, 'Rate limit exceeded for Channel'],
  '63019': [400, 'Media failed to download'],
  '63024': [400, 'Invalid message recipient'],
  '63031': [400, 'Channel message cannot have same From and To'],
  '63038': [429, 'Account exceeded the daily messages limit'],
};

export function twilioMessage(code: string): string {
  return texts[code]?.[1] ?? 'Unknown error';
}

export function twilioError(code: string): Reply {
  const [status, message] = texts[code] ?? [400, 'Unknown error'];
  return jsonReply(status, {
    code: Number(code),
    message,
    more_info: `https://www.twilio.com/docs/errors/${code}`,
    status,
  });
}
