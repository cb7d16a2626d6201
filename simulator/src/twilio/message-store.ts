/** Messages of all Twilio accounts, both directions, for the Messages list that a reconciler reads. Bounded. */
import { BoundedMap } from '../world/bounded-map.ts';
import type { StoredFile } from '../world/media.ts';

const MESSAGE_LIMIT = 50_000;

export interface TwilioMessage {
  readonly sid: string;
  readonly accountSid: string;
  readonly direction: 'inbound' | 'outbound-api' | 'outbound-reply';
  readonly from: string;
  readonly to: string;
  readonly body: string;
  readonly createdMs: number;
  readonly serviceSid: string | null;
  readonly media: readonly StoredFile[];
  readonly mediaCount: number;
  status: string;
  errorCode: string | null;
  updatedMs: number;
}

export interface MessageQuery {
  readonly accountSid: string;
  readonly to: string | null;
  readonly from: string | null;
  readonly sinceMs: number;
  readonly untilMs: number;
}

export class TwilioMessages {
  readonly #messages = new BoundedMap<string, TwilioMessage>(MESSAGE_LIMIT);

  add(message: TwilioMessage): void {
    this.#messages.set(message.sid, message);
  }

  get(sid: string): TwilioMessage | undefined {
    return this.#messages.get(sid);
  }

  delete(sid: string): boolean {
    return this.#messages.delete(sid);
  }

  move(sid: string, status: string, errorCode: string | null, nowMs: number): void {
    const message = this.#messages.get(sid);
    if (!message) return;
    message.status = status;
    message.errorCode = errorCode;
    message.updatedMs = nowMs;
  }

  /** Newest first, as Twilio lists them. */
  find(query: MessageQuery): TwilioMessage[] {
    return [...this.#messages.values()]
      .filter(
        (message) =>
          message.accountSid === query.accountSid &&
          (query.to === null || message.to === query.to) &&
          (query.from === null || message.from === query.from) &&
          message.createdMs >= query.sinceMs &&
          message.createdMs < query.untilMs,
      )
      .reverse();
  }
}

/** The message as the API shows it. Numbers are texts, dates RFC 2822. */
export function presentMessage(message: TwilioMessage): Record<string, unknown> {
  const uri = `/2010-04-01/Accounts/${message.accountSid}/Messages/${message.sid}`;
  return {
    account_sid: message.accountSid,
    api_version: '2010-04-01',
    body: message.body,
    date_created: rfc2822(message.createdMs),
    date_sent: message.status === 'queued' ? null : rfc2822(message.createdMs),
    date_updated: rfc2822(message.updatedMs),
    direction: message.direction,
    error_code: message.errorCode === null ? null : Number(message.errorCode),
    error_message: null,
    from: message.from,
    messaging_service_sid: message.serviceSid,
    num_media: String(message.mediaCount),
    num_segments: '1',
    price: null,
    price_unit: null,
    sid: message.sid,
    status: message.status,
    subresource_uris: { media: `${uri}/Media.json` },
    to: message.to,
    uri: `${uri}.json`,
  };
}

function rfc2822(milliseconds: number): string {
  return new Date(milliseconds).toUTCString().replace('GMT', '+0000');
}
