import { type ChannelName, channelOfProvider, type Provider } from '@switchyard/contract';
import { isEvolutionEvent } from './evolution-events.ts';
import { gatewayLimits } from './limits.ts';

/** Where a webhook goes by its path. */
export type WebhookPath =
  /** `maskedTarget`: path and query without the token, which is a secret: what is stored. */
  | {
      readonly kind: 'token';
      readonly provider: Provider;
      readonly token: string;
      readonly maskedTarget: string;
    }
  | { readonly kind: 'instance'; readonly instance: string }
  /** App-level: the account stands in the body. `any`: Meta or Twilio, told apart by the request. */
  | { readonly kind: 'shared'; readonly speaks: 'meta' | 'instagram' | 'any' }
  | { readonly kind: 'test' }
  | { readonly kind: 'unknown' };

const prefix = '/webhooks/';
const unknown: WebhookPath = { kind: 'unknown' };

/** What no name of ours holds. */
export const controls = /\p{Cc}/u;

/** Is this a webhook's path at all? Cheap: it is asked of every request of the listener. */
export function isWebhookPath(target: string, sharedPaths: ReadonlyMap<string, WebhookPath>): boolean {
  return target.startsWith(prefix) || sharedPaths.has(pathOf(target));
}

function pathOf(target: string): string {
  const queryAt = target.indexOf('?');
  return queryAt === -1 ? target : target.slice(0, queryAt);
}

/** `parseWebhookPath`, which answers for the same target with the same object. */
export type WebhookPaths = (target: string) => WebhookPath | undefined;

/**
 * An account's provider always calls the same target, so what it says is read once and remembered. Begins afresh when
 * full, so that a guesser of paths fills no memory; longer targets, which nobody's webhook has, are not kept.
 */
export function rememberingPaths(shared: ReadonlyMap<string, WebhookPath>): WebhookPaths {
  const { maxRememberedPaths, maxRememberedPathLength } = gatewayLimits;
  let remembered = new Map<string, WebhookPath>();
  return (target) => {
    const known = remembered.get(target);
    if (known !== undefined) return known;
    const path = parseWebhookPath(target, shared);
    if (path === undefined || target.length > maxRememberedPathLength) return path;
    if (remembered.size >= maxRememberedPaths) remembered = new Map();
    remembered.set(target, path);
    return path;
  };
}

/** undefined: not a webhook's path, so the API answers it. `target` is path and query as they came. */
export function parseWebhookPath(
  target: string,
  sharedPaths: ReadonlyMap<string, WebhookPath>,
): WebhookPath | undefined {
  const path = pathOf(target);
  if (path.startsWith(prefix)) return parseUnderPrefix(path, target);
  return sharedPaths.get(path);
}

/** The paths that older systems have and that we keep alive, and that of the newer bot as configured. */
export function sharedPaths(v2WebhookPath: string): ReadonlyMap<string, WebhookPath> {
  return new Map<string, WebhookPath>([
    ['/api/whatsapp/webhook', { kind: 'shared', speaks: 'meta' }],
    ['/api/instagram/webhook', { kind: 'shared', speaks: 'instagram' }],
    ['/api/whatsapp/webhook-test', { kind: 'test' }],
    ['/whatsapp/webhook', { kind: 'shared', speaks: 'any' }],
    [v2WebhookPath, { kind: 'shared', speaks: 'any' }],
  ]);
}

/** `provider/channel/token`, at Evolution with an event behind it; `evolution/instance`, likewise. */
function parseUnderPrefix(path: string, target: string): WebhookPath {
  const [provider = '', second = '', third, fourth, ...more] = path.slice(prefix.length).split('/');
  if (more.length > 0) return unknown;
  const channel = channelNamed(provider);
  if (channel === undefined) return unknown;
  const isEvolution = provider === 'evolution';
  if (second === channel && third !== undefined) {
    if (fourth !== undefined && !(isEvolution && isEvolutionEvent(fourth))) return unknown;
    return tokenPath(provider as Provider, third, target);
  }
  if (!isEvolution || fourth !== undefined) return unknown;
  if (third !== undefined && !isEvolutionEvent(third)) return unknown;
  const instance = decoded(second);
  return instance && instance.length <= gatewayLimits.maxInstanceLength ? { kind: 'instance', instance } : unknown;
}

function tokenPath(provider: Provider, part: string, target: string): WebhookPath {
  const token = decoded(part);
  if (!token || token.length > gatewayLimits.maxTokenLength) return unknown;
  const start = target.indexOf('/', prefix.length + provider.length + 1) + 1;
  const maskedTarget = target.slice(0, start) + '*'.repeat(part.length) + target.slice(start + part.length);
  return { kind: 'token', provider, token, maskedTarget };
}

function channelNamed(provider: string): ChannelName | undefined {
  return Object.hasOwn(channelOfProvider, provider) ? channelOfProvider[provider as Provider] : undefined;
}

/** undefined: nothing of ours is called so. Control characters are in no name, and the database takes not all of them. */
function decoded(part: string): string | undefined {
  if (!part.includes('%')) return part;
  try {
    const name = decodeURIComponent(part);
    return controls.test(name) ? undefined : name;
  } catch {
    // Not UTF-8 when decoded.
    return undefined;
  }
}
