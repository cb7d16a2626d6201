/** The program itself, as a person starts it: for the promises that only whole processes can keep. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

const program = fileURLToPath(new URL('../../../bin/switchyard.mjs', import.meta.url));
const readyMs = 60_000;
const askAgainMs = 50;

export type Settings = Readonly<Record<string, string>>;

export interface Ended {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunningSwitchyard {
  readonly pid: number;
  /** What it printed on stdout so far. */
  readonly stdout: () => string;
  /** Sends the signal and waits for the end. */
  end(signal: 'SIGTERM' | 'SIGINT' | 'SIGKILL' | 'SIGUSR2'): Promise<Ended>;
}

/** One command to its end. */
export async function runSwitchyard(args: readonly string[], settings: Settings): Promise<Ended> {
  return begin(args, settings).ended;
}

/** `switchyard start`; resolves when it is ready, rejects with its words when it ends instead. */
export async function startSwitchyard(settings: Settings): Promise<RunningSwitchyard> {
  const { child, ended, words } = begin(['start'], settings);
  let last: Ended | undefined;
  void ended.then((result) => {
    last = result;
  });
  const deadline = Date.now() + readyMs;
  while (!(await isReady(`http://127.0.0.1:${settings.PORT}/health/ready`))) {
    if (last) throw new Error(`it ended with ${last.status}: ${last.stderr}`);
    if (Date.now() > deadline) {
      child.kill('SIGKILL');
      throw new Error(`it was not ready in ${readyMs} ms: ${words.stderr}`);
    }
    await new Promise((resolve) => setTimeout(resolve, askAgainMs));
  }
  return {
    pid: child.pid!,
    stdout: () => words.stdout,
    async end(signal) {
      child.kill(signal);
      return ended;
    },
  };
}

function begin(args: readonly string[], settings: Settings) {
  const env = { PATH: process.env.PATH, HOME: process.env.HOME, SWITCHYARD_LOG: 'error', ...settings };
  const child = spawn(process.execPath, [program, ...args], { env, stdio: ['ignore', 'pipe', 'pipe'] });
  const words = { stdout: '', stderr: '' };
  child.stdout.on('data', (chunk: Buffer) => {
    words.stdout += chunk.toString();
  });
  child.stderr.on('data', (chunk: Buffer) => {
    words.stderr += chunk.toString();
  });
  return { child, words, ended: endOf(child, words) };
}

async function endOf(child: ChildProcess, words: { readonly stdout: string; readonly stderr: string }): Promise<Ended> {
  const [status] = await once(child, 'close');
  return { status: typeof status === 'number' ? status : null, ...words };
}

function isReady(url: string): Promise<boolean> {
  return fetch(url).then(
    (answer) => answer.ok,
    () => false,
  );
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}
