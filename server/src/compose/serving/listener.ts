/**
 * The one listener. Webhooks go straight to the gateway's plain handler, everything else in turn through the API. It listens
 * as soon as webhooks can be answered: the API, which takes longer to load than all the rest, comes behind, and what is
 * asked of it meanwhile waits for it.
 */
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';
import type { Config } from '#config';
import { type Gateway, listenerLimits } from '#gateway';
import { createTurnstile } from './turnstile.ts';

// Imported by name, Node would read all that `http` has, and one of its names brings in undici: a twelfth of our start.
const { createServer } = process.getBuiltinModule('node:http');

export type Handler = (request: IncomingMessage, response: ServerResponse) => void;

export interface Listener {
  readonly url: string;
  readonly server: Server;
  /** What is no webhook is its affair from now on. */
  serveOthers(handler: Handler): void;
  /** From now on each answer is the last on its connection, so that a proxy keeps none that would be cut under a request. */
  announceEnd(): void;
  /** Takes no new connection, and waits for the answers under way; what is open after `graceMs` is cut. */
  close(graceMs: number): Promise<void>;
}

export interface ListenerParts {
  /** null: this process takes no webhooks. */
  readonly gateway: Gateway | null;
  readonly config: Pick<Config, 'port' | 'host' | 'localUrl'>;
}

/** Resolves when it listens; rejects with one line where the port cannot be had. */
export async function openListener({ gateway, config }: ListenerParts): Promise<Listener> {
  const { maxConnections, ...limits } = listenerLimits;
  const inTurn = createTurnstile((work) => void setImmediate(work));
  const others = Promise.withResolvers<Handler>();
  let isEnding = false;
  const server = createServer(limits, (request, response) => {
    if (isEnding) response.shouldKeepAlive = false;
    if (gateway?.handles(request.url ?? '')) gateway.handle(request, response);
    else inTurn(() => void others.promise.then((handle) => handle(request, response)));
  });
  server.maxConnections = maxConnections;
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) => reject(refusedPort(config, error)));
    server.listen(config.port, config.host, resolve);
  });
  return {
    url: config.localUrl,
    server,
    serveOthers: others.resolve,
    announceEnd() {
      isEnding = true;
    },
    close: (graceMs) => closeServer(server, graceMs),
  };
}

const lookAgainMs = 50;

/** A connection that is kept open is closed once nothing is asked on it. */
async function closeServer(server: Server, graceMs: number): Promise<void> {
  let isClosed = false;
  const closed = new Promise<void>((resolve) => server.close(() => resolve())).then(() => {
    isClosed = true;
  });
  const deadline = performance.now() + graceMs;
  while (!isClosed && performance.now() < deadline) {
    server.closeIdleConnections();
    await Promise.race([closed, pause(lookAgainMs)]);
  }
  server.closeAllConnections();
  await closed;
}

function refusedPort({ port, host }: ListenerParts['config'], error: NodeJS.ErrnoException): Error {
  if (error.code === 'EADDRINUSE') return new Error(`port ${port} on ${host} is taken; set PORT to another`);
  return new Error(`cannot listen on ${host}:${port}: ${error.message}`);
}
