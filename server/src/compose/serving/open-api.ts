/** The API with its routes, documents and the console's files: loaded behind the gateway, which does not wait for it. */
import { join } from 'node:path';
import type { ApiDeps } from '#api';
import { once } from '#kernel';
import { openDatabase } from '#storage';
import { channels } from '../channels.ts';
import type { Product } from '../rooms.ts';
import type { Handler, Listener } from './listener.ts';

/** A hundred files of ours and three hundred that they need. */
export const loadApi = once(() => import('#api'));

/** People who look at much wait for each other, not customers' turns for them: what the API asks itself has its own connections. */
const poolSizes = { app: 8, worker: 1, gateway: 1 } as const;

/** Loads the API and puts it behind the listener. */
export async function openApi(
  product: Product,
  listener: Listener,
  pages: Pick<ApiDeps, 'unready' | 'metrics' | 'version'>,
): Promise<{ close(): Promise<void> }> {
  const { config, foundation } = product;
  const { engines } = foundation;
  const { createApi } = await loadApi();
  const { roleUrls } = foundation.owner;
  const applicationName = 'switchyard console';
  const storage = await openDatabase({ urls: roleUrls, log: foundation.log, applicationName, poolSizes });
  const answering = Promise.withResolvers<Handler>();
  const api = await createApi(
    {
      storage,
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
      publicUrl: config.publicUrl,
      isProxyTrusted: config.isProxyTrusted,
      consoleFolder: join(import.meta.dirname, '..', '..', '..', '..', 'console', 'dist'),
      ...pages,
    },
    (handler) => {
      answering.resolve(handler);
      return listener.server;
    },
  );
  await api.ready();
  listener.serveOthers(await answering.promise);
  return {
    async close() {
      await api.close();
      await storage.close();
    },
  };
}
