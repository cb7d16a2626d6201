/** `switchyard start`: everything, until told to stop. */
import { flushCompileCache } from 'node:module';
import { setTimeout as delay } from 'node:timers/promises';
import type { Output } from '#cli';
import type { Config } from '#config';
import { armCrashPoint, type Log } from '#kernel';
import { type Deadline, deadlineIn } from '../deadline.ts';
import { openProduct } from '../product.ts';
import { buildConsole } from './console.ts';
import { registerDemoNumbers, seedDemo } from './demo.ts';
import { refuseTakenPorts } from './ports.ts';
import { serve } from './serve.ts';
import { startSimulatorBeside } from './simulator.ts';
import { stopLimits } from './stop-in-order.ts';

export interface RunOptions {
  readonly isJson: boolean;
  readonly output: Output;
  /** Where SIGINT and SIGTERM come from. */
  readonly signals: NodeJS.Process;
}

/**
 * The whole of stopping: ours in `stopLimits`, then that of the embedded database and of the stand-ins. After it the process ends
 * whatever is still open, which is safe, only slower to come back from.
 */
const endLimitMs = stopLimits.allMs + 10_000;

type Closer = (deadline: Deadline) => Promise<unknown>;

/**
 * Resolves after an orderly end. Rejects, with one line and nothing left running, when it could not start. Told to stop
 * while it starts, it stops at the next step.
 */
export async function runServer(given: Config, log: Log, options: RunOptions): Promise<void> {
  const config = atLocalUrl(given);
  armCrashPoint(config.crashPlan);
  const stop = listenForStop(options.signals);
  const closers: Closer[] = [];
  await refuseTakenPorts(config);
  if (config.roles.includes('api')) await buildConsole(log);
  try {
    if (stop.isTold) return;
    const simulator = config.isDemo ? await startSimulatorBeside(config, log) : null;
    if (simulator) closers.push(simulator.stop);
    if (stop.isTold) return;
    const product = await openProduct(config, log);
    closers.push(product.close);
    if (stop.isTold) return;
    const login = simulator ? await seedDemo(product, simulator.urls) : null;
    const server = await serve(product);
    closers.push(server.stop);
    // Node keeps what it compiled when a process ends by itself; whoever is killed begins with it all the same.
    flushCompileCache();
    if (simulator) await registerDemoNumbers(product, simulator.urls);
    const places = { console: server.url, api: `${server.url}/api/docs`, phone: simulator?.urls.phone ?? null, login };
    options.output.result(options.isJson ? JSON.stringify(places) : welcome(places));
    await stop.told;
    options.output.note('Stopping: finishing what is in flight …');
  } finally {
    await closeAll(closers.reverse(), log);
  }
}

/** Where providers reach us: as set, else at this machine, which is where the stand-ins are. */
export function atLocalUrl(config: Config): Config {
  return { ...config, publicUrl: config.publicUrl ?? config.localUrl };
}

/** Each is closed, whatever became of the one before. */
async function closeAll(closers: readonly Closer[], log: Log): Promise<void> {
  const limit = delay(endLimitMs, 'late' as const, { ref: false });
  const deadline = deadlineIn(stopLimits.allMs);
  const closing = (async () => {
    for (const close of closers) {
      await close(deadline).catch((error: unknown) => log.error({ error: String(error) }, 'a part did not close well'));
    }
    return 'closed' as const;
  })();
  if ((await Promise.race([closing, limit])) === 'late')
    log.error({ endLimitMs }, 'stopping took too long; ending now');
}

interface Places {
  readonly console: string;
  readonly api: string;
  readonly phone: string | null;
  readonly login: { readonly email: string; readonly password: string } | null;
}

function welcome(places: Places): string {
  const lines = ['', 'Switchyard is running.', '', `  Console  ${places.console}`];
  if (places.login) lines.push(`           ${places.login.email}  ${places.login.password}`);
  if (places.phone) lines.push(`  Phone    ${places.phone}   (write as a customer)`);
  lines.push(`  API      ${places.api}`, '', 'Ctrl-C stops it.', '');
  return lines.join('\n');
}

/**
 * One Ctrl-C may arrive twice, from the terminal and from npm; a second one later ends the process at once. A supervisor's
 * SIGTERM may come as often as it likes: the stop has its limit, and for an end at once there is SIGKILL.
 */
const sameSignalMs = 1_000;

interface Stop {
  readonly isTold: boolean;
  readonly told: Promise<void>;
}

function listenForStop(signals: NodeJS.Process): Stop {
  const { promise, resolve } = Promise.withResolvers<void>();
  let isTold = false;
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    const heard = () => {
      isTold = true;
      resolve();
      if (signal === 'SIGINT') setTimeout(() => signals.off(signal, heard), sameSignalMs).unref();
    };
    signals.on(signal, heard);
  }
  return {
    get isTold() {
      return isTold;
    },
    told: promise,
  };
}
