/** The companion's program in a process of its own, as an operator starts it; only whom it trusts is of the tests. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { standInRoot } from '../../../companion/test/noise-server.ts';

const program = fileURLToPath(new URL('../../../companion/bin/switchyard-companion.mjs', import.meta.url));
const trust = new URL('../../../companion/test/trust-root.ts', import.meta.url).href;

export interface CompanionProcess {
  /** Where it takes sends. */
  readonly url: string;
  /** What it has written so far. */
  words(): string;
  /** `SIGKILL`, and its end. */
  kill(): Promise<void>;
}

export interface CompanionOrder {
  readonly serverUrl: string;
  /** As `companion-key create` prints it. */
  readonly key: string;
  readonly whatsappUrl: string;
  readonly leaseMs: number;
}

/** Resolves when it takes sends; rejects with its words when it ends instead. */
export async function startCompanionProcess(order: CompanionOrder): Promise<CompanionProcess> {
  const child = spawn(process.execPath, ['--import', trust, program, '--listen', '127.0.0.1:0'], {
    env: {
      PATH: process.env.PATH,
      STAND_IN_ROOT: standInRoot,
      SWITCHYARD_SERVER: order.serverUrl,
      SWITCHYARD_COMPANION_KEY: order.key,
      COMPANION_WHATSAPP_URL: order.whatsappUrl,
      COMPANION_LEASE_MS: String(order.leaseMs),
      COMPANION_POLL_MS: '50',
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const ended = once(child, 'exit');
  let words = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    words += text;
  });
  const [line] = (await Promise.race([
    once(child.stdout.setEncoding('utf8'), 'data'),
    ended.then(([code]) => Promise.reject(new Error(`the companion ended with ${code}: ${words}`))),
  ])) as [string];
  return {
    url: (JSON.parse(line) as { url: string }).url,
    words: () => words,
    async kill() {
      child.kill('SIGKILL');
      await ended;
    },
  };
}
