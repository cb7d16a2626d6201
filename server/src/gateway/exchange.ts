import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Provider, WorkspaceId } from '@switchyard/contract';
import type { Accounts } from '#accounts';
import type { Channel } from '#channels';
import type { Receiver } from '#inbox';
import { type Clock, crashPoint, type Log } from '#kernel';
import type { Counters, Sealer } from '#storage';
import { type Answer, answers, sendAnswer } from './answers.ts';
import { type CanaryDoor, canaryHeader, type ExpectedCanary } from './canary-door.ts';
import { gatewayLimits } from './limits.ts';
import { type BodyBudget, readBody } from './read-body.ts';
import { refuseTooLarge } from './refuse-large.ts';

/** What of the configuration the gateway needs. */
export interface GatewaySettings {
  /** Scheme and host as providers know us. undefined: taken from the request. */
  readonly publicUrl: string | undefined;
  /** X-Forwarded-* are believed: a proxy of ours sets them. */
  readonly isProxyTrusted: boolean;
  readonly v2WebhookPath: string;
  readonly metaAppSecrets: readonly string[];
  readonly metaVerifyTokens: readonly string[];
  readonly instagramAppSecrets: readonly string[];
  readonly instagramVerifyTokens: readonly string[];
}

export interface GatewayDeps {
  readonly accounts: Pick<Accounts, 'peekRoute' | 'route' | 'countRouting' | 'noteWebhook' | 'noteRefusal'>;
  readonly channels: Readonly<Record<Provider, Channel>>;
  readonly receiver: Receiver;
  readonly sealer: Sealer;
  readonly counters: Pick<Counters, 'claimOnce'>;
  readonly settings: GatewaySettings;
  /** Where deliveries of app-level routes belong. Asked until it answers once. */
  readonly operatorWorkspace: () => Promise<WorkspaceId>;
  /** The server is so pressed that deliveries are sent away with 503, before they are read. */
  readonly isRefusing: () => boolean;
  /** Told of what a delivery was answered 503 for, whenever it could not be checked or stored. */
  readonly noteUnavailable?: (error: unknown) => void;
  /** For the test route. null: no such key, or not valid any more. Throws when it could not be checked. */
  readonly authenticateKey: (
    key: string,
  ) => Promise<{ readonly workspaceId: WorkspaceId; readonly scopes: readonly string[] } | null>;
  /** Knows our own test events. Without it every one is sent away. */
  readonly canaries?: Pick<CanaryDoor, 'find'>;
  readonly clock: Clock;
  readonly log: Log;
}

/** One request and its answer, and what is known of it from the start. */
export interface Exchange {
  readonly req: IncomingMessage;
  readonly res: ServerResponse;
  readonly deps: GatewayDeps;
  readonly budget: BodyBudget;
  /** What this process had committed when the request began to arrive. */
  readonly afterPosition: number;
}

export function answer(exchange: Exchange, what: Answer): void {
  sendAnswer(exchange.res, what);
}

/** For what could not be checked or stored: never an answer that makes a provider give up. */
export function answerUnavailable(exchange: Exchange, error: unknown): void {
  exchange.deps.log.warn({ error: String(error) }, 'a delivery could not be checked or stored; answered 503');
  sendAnswer(exchange.res, answers.unavailable);
  exchange.deps.noteUnavailable?.(error);
}

/** True when the request was refused, and answered, for what its head says. */
export function isRefusedByHead(exchange: Exchange): boolean {
  if (exchange.deps.isRefusing()) {
    answer(exchange, answers.unavailable);
    return true;
  }
  const { headers } = exchange.req;
  const encoding = headers['content-encoding'];
  if (encoding !== undefined && encoding.toLowerCase() !== 'identity' && encoding !== '') {
    answer(exchange, answers.encoded);
    return true;
  }
  const length = headers['content-length'];
  if (length === undefined || Number(length) <= gatewayLimits.maxBodyBytes) return false;
  refuseTooLarge(exchange.req, exchange.res);
  return true;
}

/** Hands on a whole body; answers for itself when it is too large. */
export function withBody(exchange: Exchange, work: (body: Buffer) => void): void {
  readBody(exchange.req, exchange.budget, (body) => {
    crashPoint('gateway.body-read');
    if (body === 'too-large') refuseTooLarge(exchange.req, exchange.res);
    else if (body === 'too-much-at-once') answerUnavailable(exchange, 'too many bodies at once');
    else guarded(exchange, () => work(body));
  });
}

/** A throw inside an event listener would end the process: here it costs one 503. */
export function guarded(exchange: Exchange, work: () => void): void {
  try {
    work();
  } catch (error) {
    exchange.deps.log.error({ error: String(error) }, 'a request could not be handled');
    sendAnswer(exchange.res, answers.unavailable);
  }
}

export function guardedAsync(exchange: Exchange, work: Promise<void>): void {
  work.catch((error: unknown) => answerUnavailable(exchange, error));
}

/** Scheme and host as the provider knows us, without a trailing slash. */
export function publicUrlOf({ req, deps }: Exchange): string {
  const { publicUrl, isProxyTrusted } = deps.settings;
  if (publicUrl !== undefined) return publicUrl;
  const forwarded = (name: string) =>
    isProxyTrusted
      ? String(req.headers[name] ?? '')
          .split(',')[0]
          ?.trim()
      : '';
  return `${forwarded('x-forwarded-proto') || 'http'}://${forwarded('x-forwarded-host') || req.headers.host || ''}`;
}

/** The nearest address that we can vouch for: a forwarded one only if the proxy before us is ours. */
export function clientAddress({ req, deps }: Exchange): string | undefined {
  const forwarded = deps.settings.isProxyTrusted ? req.headers['x-forwarded-for'] : undefined;
  return (
    (Array.isArray(forwarded) ? forwarded.join(',') : forwarded)?.split(',').at(-1)?.trim() || req.socket.remoteAddress
  );
}

/** null: an ordinary request, `stranger`: one that says it is a test event of ours, and is none. */
export function canaryOf({ req, deps }: Exchange): ExpectedCanary | 'stranger' | null {
  const word = req.headers[canaryHeader];
  if (word === undefined) return null;
  return deps.canaries?.find(word) ?? 'stranger';
}

export function isReading(method: string | undefined): boolean {
  return method === 'GET' || method === 'HEAD';
}
