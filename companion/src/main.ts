/** Where the companion begins: flags and environment, the library, signals, the exit status. */
import { openBaileysClient } from './baileys/baileys-client.ts';
import { parseConfig, usage, WrongSetting } from './config.ts';
import { createLog, wordsOf } from './log.ts';
import { runCompanion } from './run.ts';

const log = createLog((line) => void process.stderr.write(`${line}\n`));

// The library leaves promises to themselves (questions to WhatsApp that nobody waits for). One session's must not end all.
process.on('unhandledRejection', (error) =>
  log.error({ error: wordsOf(error) }, 'something failed that nobody waited for'),
);

async function main(): Promise<number> {
  const config = parseConfig(process.argv.slice(2), process.env);
  if (!config) {
    process.stdout.write(`${usage}\n`);
    return 0;
  }
  const openClient = await openBaileysClient({ whatsappUrl: config.whatsappUrl, log });
  const running = await runCompanion(config, { openClient, log });
  process.stdout.write(`${JSON.stringify({ url: running.url })}\n`);
  await new Promise<void>((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve());
  });
  await running.stop();
  return 0;
}

try {
  process.exit(await main());
} catch (error) {
  process.stderr.write(`switchyard-companion: ${wordsOf(error)}\n`);
  process.exit(error instanceof WrongSetting ? 2 : 1);
}
