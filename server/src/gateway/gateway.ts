/**
 * The door of the gateway: webhooks in. A plain `node:http` handler, to stand before the API in the same listener.
 *
 * What happens to a delivery: find the account by the path, check method and size, read the raw bytes, verify, take
 * secrets out, store, answer. Nothing else before the 200. The answers and when they are given: `answers.ts`.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { serveAccountRoute } from './account-route.ts';
import { answers } from './answers.ts';
import { answer, type Exchange, type GatewayDeps, guarded } from './exchange.ts';
import { isWebhookPath, rememberingPaths, sharedPaths } from './paths.ts';
import type { BodyBudget } from './read-body.ts';
import { serveSharedRoute } from './shared-route.ts';
import { serveTestRoute } from './test-route.ts';

export interface Gateway {
  /** Is this one of the gateway's paths? `url` is path and query as they came. */
  handles(url: string): boolean;
  /** Answers every request, sooner or later. Never throws. */
  handle(req: IncomingMessage, res: ServerResponse): void;
}

export function createGateway(given: GatewayDeps): Gateway {
  const shared = sharedPaths(given.settings.v2WebhookPath);
  const deps: GatewayDeps = { ...given, operatorWorkspace: onceAnswered(given.operatorWorkspace) };
  const budget: BodyBudget = { buffered: 0 };
  const readPath = rememberingPaths(shared);
  return {
    handles: (url) => isWebhookPath(url, shared),
    handle(req, res) {
      const exchange: Exchange = { req, res, deps, budget, afterPosition: deps.receiver.committedPosition };
      guarded(exchange, () => {
        const path = readPath(req.url ?? '') ?? { kind: 'unknown' };
        switch (path.kind) {
          case 'token':
          case 'instance':
            return serveAccountRoute(exchange, path);
          case 'shared':
            return serveSharedRoute(exchange, path);
          case 'test':
            return serveTestRoute(exchange);
          case 'unknown':
            return answer(exchange, answers.unknown);
        }
      });
    },
  };
}

/** Asks until there is an answer, then keeps it: the operator's workspace does not change. */
function onceAnswered<T>(ask: () => Promise<T>): () => Promise<T> {
  let known: { readonly value: T } | undefined;
  return async () => {
    known ??= { value: await ask() };
    return known.value;
  };
}
