/** The envelope in which Evolution posts every event (providers.md 4.2): unsigned, with the instance's key inside. */
import { createHmac } from 'node:crypto';
import type { Posting } from '../posting/posting.ts';
import { secondsOf } from '../world/clock.ts';
import type { SimNumber } from '../world/number.ts';
import type { World } from '../world/world.ts';
import { instanceOf, ownJid } from './addresses.ts';

const JWT_SECONDS = 600;

export interface EvolutionEvent {
  /** `messages.upsert` */
  readonly event: string;
  readonly data: unknown;
  readonly operation: Posting['operation'];
  readonly what: string;
  readonly customer: string;
  readonly messageId: string;
}

/** Null when the instance posts nothing: no URL, switched off, or the event is not among those asked for. */
export function eventPosting(world: World, number: SimNumber, event: EvolutionEvent): Posting | null {
  const { webhook } = number;
  if (!webhook.url || !webhook.isEnabled || !isWanted(webhook.events, event.event)) return null;
  const path = webhook.isByEvents ? `/${event.event.replaceAll('.', '-')}` : '';
  const url = `${webhook.url.trim().replace(/\/$/, '')}${path}`;
  const body = {
    event: event.event,
    instance: instanceOf(number),
    data: event.data,
    destination: url,
    date_time: localTime(world.clock.now()),
    ...(number.connection === 'connecting' ? {} : { sender: ownJid(number) }),
    server_url: world.urls.evolution,
    ...apiKeyOf(number),
  };
  return {
    number,
    url: webhook.isByEvents ? url : webhook.url.trim(),
    operation: event.operation,
    what: event.what,
    customer: event.customer,
    messageId: event.messageId,
    contentType: 'application/json',
    body: Buffer.from(JSON.stringify(body)),
    headers: (_body, nowMs) => customHeaders(number, nowMs),
  };
}

function isWanted(events: readonly string[], event: string): boolean {
  return events.length === 0 || events.includes(event.replaceAll('.', '_').toUpperCase());
}

/** The key in the body: v2 sends null when it may not show it, v1 leaves it out. */
function apiKeyOf(number: SimNumber): { apikey?: string | null } {
  const key = number.secrets.apiKey;
  if (key !== undefined) return { apikey: key };
  return number.version === 'v2' ? { apikey: null } : {};
}

/** v1 knows no headers. A `webhookSecret` stands for a header that the operator set by hand. `jwt_key` is not sent itself: it becomes a short-lived token signed with it. */
function customHeaders(number: SimNumber, nowMs: number): Record<string, string> {
  if (number.version === 'v1') return {};
  const { jwt_key: jwtKey, ...given } = number.webhook.headers;
  const { webhookSecret } = number.secrets;
  const headers = webhookSecret === undefined ? given : { 'x-webhook-secret': webhookSecret, ...given };
  return jwtKey === undefined ? headers : { ...headers, authorization: `Bearer ${tokenOf(jwtKey, nowMs)}` };
}

function tokenOf(key: string, nowMs: number): string {
  const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const issued = secondsOf(nowMs);
  const claims = { iat: issued, exp: issued + JWT_SECONDS, app: 'evolution', action: 'webhook' };
  const text = `${part({ alg: 'HS256', typ: 'JWT' })}.${part(claims)}`;
  return `${text}.${createHmac('sha256', key).update(text).digest('base64url')}`;
}

/** Local time with a `Z` that is not true: the real server subtracts its own offset first. */
function localTime(milliseconds: number): string {
  const offsetMs = new Date(milliseconds).getTimezoneOffset() * 60_000;
  return new Date(milliseconds - offsetMs).toISOString();
}
