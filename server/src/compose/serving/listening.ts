/** One listener for everything: webhooks go straight to the gateway, the rest in turn through the interface. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { join } from 'node:path';
import { createApi } from '#api';
import type { Config } from '#config';
import { type createGateway, listenerLimits } from '#gateway';
import { channels } from '../channels.ts';
import { readVersion } from '../foundation.ts';
import type { Product } from '../rooms.ts';
import { createTurnstile } from './turnstile.ts';

interface ListenParts {
  readonly takesWebhooks: boolean;
  readonly gateway: ReturnType<typeof createGateway>;
  readonly unready: () => Promise<readonly string[]>;
  readonly metrics: () => Promise<string>;
}

export async function listen(
  product: Product,
  parts: ListenParts,
): Promise<{ readonly url: string; close(): Promise<void> }> {
  const { config, foundation } = product;
  const { engines } = foundation;
  let server: Server | undefined;
  const api = await createApi(
    {
      storage: foundation.storage,
      engines,
      workspaces: product.workspaces,
      people: product.people,
      accounts: product.accounts,
      providerWebhooks: product.providerWebhooks,
      pairing: product.pairing,
      companions: product.companions,
      conversations: product.conversations,
      outbox: product.outbox,
      commerce: product.commerce,
      flows: product.flows,
      privacy: product.privacy,
      retention: product.retention,
      upkeep: (name, id, payload) => engines.jobs.enqueue('maintenance', { name, id, payload }),
      sealer: foundation.sealer,
      noteChange: product.liveBell.noteAfterCommit,
      monitoring: product.monitoring,
      isSlowingReads: () => product.pressure.isSlowingReads,
      capabilitiesOf: (provider) => channels[provider].capabilities,
      fieldsOf: (provider) => channels[provider].fields,
      clock: foundation.clock,
      log: foundation.log,
      version: await readVersion(),
      publicUrl: config.publicUrl,
      isProxyTrusted: config.isProxyTrusted,
      consoleFolder: join(import.meta.dirname, '..', '..', '..', '..', 'console', 'dist'),
      unready: parts.unready,
      metrics: parts.metrics,
    },
    (handler) => {
      server = listener(parts, handler);
      return server;
    },
  );
  await api.ready();
  await new Promise<void>((resolve, reject) => {
    server?.once('error', (error) => reject(refusedPort(config, error)));
    server?.listen(config.port, config.host, resolve);
  });
  return { url: config.localUrl, close: () => api.close() };
}

function listener(parts: ListenParts, handler: (request: IncomingMessage, response: ServerResponse) => void): Server {
  const { maxConnections, ...limits } = listenerLimits;
  const inTurn = createTurnstile((work) => void setImmediate(work));
  const server = createServer(limits, (request, response) => {
    if (parts.takesWebhooks && parts.gateway.handles(request.url ?? '')) parts.gateway.handle(request, response);
    else inTurn(() => handler(request, response));
  });
  server.maxConnections = maxConnections;
  return server;
}

function refusedPort(config: Config, error: NodeJS.ErrnoException): Error {
  if (error.code === 'EADDRINUSE')
    return new Error(`port ${config.port} on ${config.host} is taken; set PORT to another`);
  return new Error(`cannot listen on ${config.host}:${config.port}: ${error.message}`);
}
