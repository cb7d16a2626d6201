/** Where the program begins: the environment, the command line, the exit status. */
import { runCli, standardOutput } from '#cli';
import { channels, examine, openOwnerDatabase, openProduct, runServer } from '#compose';
import { parseConfig } from '#config';
import { createLog } from '#kernel';

const readConfig = () => parseConfig(process.env);
const openLog = (level = readConfig().logLevel) => createLog(level);
/** Commands are quiet: what they do is their result. */
const commandLog = () => openLog(readConfig().logLevel === 'debug' ? 'debug' : 'warn');

const status = await runCli(process.argv.slice(2), {
  output: standardOutput,
  channels,
  readConfig,
  async withProduct(work) {
    const product = await openProduct(readConfig(), commandLog());
    try {
      const { config, workspaces, accounts, foundation } = product;
      return await work({ config, workspaces, accounts, storage: foundation.storage, engines: foundation.engines });
    } finally {
      await product.close();
    }
  },
  async withOwnerUrl(work) {
    const owner = await openOwnerDatabase(readConfig(), commandLog());
    try {
      return await work(owner.ownerUrl);
    } finally {
      await owner.close();
    }
  },
  start: ({ isJson }) => runServer(readConfig(), openLog(), { isJson, output: standardOutput, signals: process }),
  examine: () => examine(process.env, commandLog),
});
process.exit(status);
