/** Where the program begins: the environment, the command line, the exit status. */
import { askOnTerminal, runCli, standardOutput } from '#cli';
import {
  atLocalUrl,
  channels,
  examine,
  openOwnerDatabase,
  openProduct,
  readVersion,
  rotateMasterKey,
  runServer,
} from '#compose';
import { parseConfig } from '#config';
import { createLog } from '#kernel';

const readConfig = () => parseConfig(process.env);
const openLog = (level = readConfig().logLevel) => createLog(level);
/** Commands are quiet: what they do is their result. */
const commandLog = () => openLog(readConfig().logLevel === 'debug' ? 'debug' : 'error');

// A reader that has seen enough (`switchyard tokens | head`) is no failure.
process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1));

const status = await runCli(process.argv.slice(2), {
  output: standardOutput,
  confirm: askOnTerminal,
  version: await readVersion(),
  channels,
  readConfig,
  async withProduct(work) {
    const product = await openProduct(atLocalUrl(readConfig()), commandLog());
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
  rotateKey: (progress) => rotateMasterKey(readConfig(), commandLog(), progress),
  start: ({ isJson }) => runServer(readConfig(), openLog(), { isJson, output: standardOutput, signals: process }),
  examine: () => examine(process.env, commandLog),
});
// What is written to a pipe may not have left yet.
process.stdout.write('', () => process.exit(status));
