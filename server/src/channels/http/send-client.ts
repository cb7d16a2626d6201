/**
 * The one way out to providers. It sends a request once, only to addresses within `network.reach`, follows no redirect,
 * retries nothing, and says of every failure whether the request can have been taken.
 */
import type { Agent } from 'undici';
import { once } from '#kernel';
import type { SendingNetwork } from '../channel.ts';
import { isForbiddenLiteral, lookupWithin, parseOutgoingUrl, portOf, type Reach } from './address/index.ts';
import { type Answer, Exchange } from './exchange.ts';
import { addressForbidden } from './lost.ts';

export interface ProviderCall {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  /** Begins with `/`; put after the base URL, whose own path is kept. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** Connections at once to one base URL; further calls wait inside their total time-out. */
const maxConnections = 64;
/** Base URLs held open at once; the one longest unused is closed. Evolution servers are the tenants' own, so many. */
const maxAgents = 100;
const agents = new Map<string, Agent>();
const loadUndici = once(() => import('undici'));

/**
 * Sends and waits for the whole answer, at most `timeouts.totalMs`. Never throws: what prevents an answer is
 * `unreachable` (surely not sent) or `uncertain`. Details name no path and no secret.
 */
export async function callProvider(call: ProviderCall, network: SendingNetwork): Promise<Answer> {
  const base = parseOutgoingUrl(network.baseUrl);
  if (!base) return surelyUnsent('base-url-invalid', 'the base URL is not an http(s) address', 'never');
  if (isForbiddenLiteral(base, network.reach)) return addressForbidden;
  const { Agent: OpenAgent } = await loadUndici();
  if (network.signal.aborted) return surelyUnsent('aborted', 'the sender was told to stop', 'later');
  return new Promise((settle) => {
    const exchange = new Exchange(network.timeouts, network.signal, settle);
    const request = {
      origin: base.origin,
      path: `${base.pathname.replace(/\/+$/, '')}${call.path}`,
      method: call.method,
      headers: call.headers,
      headersTimeout: network.timeouts.headersMs,
      bodyTimeout: network.timeouts.bodyMs,
      idempotent: false,
      ...(call.body === undefined ? {} : { body: call.body }),
    };
    try {
      agentFor(OpenAgent, base, network).dispatch(request, exchange);
    } catch (error) {
      // Undici reports to the exchange; should it throw instead, then before anything is queued.
      exchange.fail(error);
    }
  });
}

/** Loads what sending needs. For whoever marks messages as being sent: killed while it loads, none of them would be known. */
export async function prepareSending(): Promise<void> {
  await loadUndici();
}

/** Closes every connection; for the end of the process and of tests. Calls under way end as lost. */
export async function closeProviderConnections(): Promise<void> {
  const open = [...agents.values()];
  agents.clear();
  await Promise.all(open.map((agent) => agent.destroy()));
}

/** A connection that was opened within one reach is never used within another. */
function agentFor(open: typeof Agent, base: URL, { timeouts, reach }: SendingNetwork): Agent {
  const { connectMs } = timeouts;
  const name = `${connectMs} ${base.origin} ${reach.name}`;
  const agent = agents.get(name) ?? makeAgent(open, base, { connectMs, reach });
  // A Map keeps the order of insertion, so the first entry is the one longest unused.
  agents.delete(name);
  agents.set(name, agent);
  closeLongestUnused();
  return agent;
}

function makeAgent(
  open: typeof Agent,
  base: URL,
  { connectMs, reach }: { readonly connectMs: number; readonly reach: Reach },
): Agent {
  const connect = { lookup: lookupWithin(reach, portOf(base)) };
  return new open({ connect, connectTimeout: connectMs, connections: maxConnections, allowH2: false });
}

function closeLongestUnused(): void {
  const oldest = agents.entries().next().value;
  if (agents.size <= maxAgents || !oldest) return;
  agents.delete(oldest[0]);
  // `close` lets calls under way finish; its own failure would only mean that it was closed already.
  oldest[1].close().catch(() => undefined);
}

function surelyUnsent(code: string, detail: string, retry: 'never' | 'later'): Answer {
  return { kind: 'unreachable', failure: { code, detail, retry: { kind: retry }, isCertain: true } };
}
