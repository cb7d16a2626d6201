/** What the command line is handed: every command opens what it needs, as the settings say, and closes it again. */
import type { ServingAccount } from '#accounts';
import type { CliDeps } from '#cli';
import { parseConfig } from '#config';
import type { Span } from '#inbox';
import { createLog } from '#kernel';
import { channels } from './channels.ts';
import { examine } from './examine/examine.ts';
import { openOwnerDatabase, readVersion } from './foundation.ts';
import { openProduct } from './product.ts';
import { rotateMasterKey } from './rotate-key.ts';
import { atLocalUrl, runServer } from './serving/run-server.ts';
import { reconcileByCommand } from './upkeep/reconciling.ts';

export interface CommandSurroundings extends Pick<CliDeps, 'output' | 'confirm'> {
  readonly env: NodeJS.ProcessEnv;
  /** Where SIGINT and SIGTERM come from. */
  readonly signals: NodeJS.Process;
}

export async function createCommandDeps({ env, output, confirm, signals }: CommandSurroundings): Promise<CliDeps> {
  const readConfig = () => parseConfig(env);
  const openLog = () => createLog(readConfig().logLevel);
  /** Commands are quiet: what they do is their result. */
  const openQuietLog = () => createLog(readConfig().logLevel === 'debug' ? 'debug' : 'error');
  return {
    output,
    confirm,
    version: await readVersion(),
    channels,
    readConfig,
    async withProduct(work) {
      const log = openQuietLog();
      const product = await openProduct(atLocalUrl(readConfig()), log);
      try {
        const { storage, engines } = product.foundation;
        const reconcile = (account: ServingAccount, span: Span) => reconcileByCommand(product, account, span);
        return await work({ ...product, storage, engines, log, reconcile });
      } finally {
        await product.close();
      }
    },
    async withOwnerUrl(work) {
      const owner = await openOwnerDatabase(readConfig(), openQuietLog());
      try {
        return await work(owner.ownerUrl);
      } finally {
        await owner.close();
      }
    },
    rotateKey: (progress) => rotateMasterKey(readConfig(), openQuietLog(), progress),
    start: ({ isJson }) => runServer(readConfig(), openLog(), { isJson, output, signals }),
    examine: () => examine(env, openQuietLog),
  };
}
