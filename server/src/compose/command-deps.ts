/** What the command line is handed: every command opens what it needs, as the settings say, and closes it again. */
import type { CliDeps } from '#cli';
import { parseConfig } from '#config';
import { createLog } from '#kernel';
import { examine } from './examine.ts';
import { openOwnerDatabase, readVersion } from './foundation.ts';
import { channels, openProduct } from './product.ts';
import { rotateMasterKey } from './rotate-key.ts';
import { atLocalUrl, runServer } from './run-server.ts';

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
        const { config, workspaces, people, accounts, monitoring, foundation } = product;
        const { storage, engines } = foundation;
        return await work({ config, workspaces, people, accounts, monitoring, storage, engines, log });
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
