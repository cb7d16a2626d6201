import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { assert } from '#kernel';

/** Another process that holds the cluster of a data folder. */
export interface Holder {
  readonly said: { readonly pid: number; readonly wasFound: boolean; readonly dataFolder: string };
  /** kill -9: nothing is closed, nothing is stopped. */
  kill(): Promise<void>;
  /** Leaves properly. True: it was the last and stopped the server. */
  leave(): Promise<boolean>;
}

const program = fileURLToPath(new URL('./hold-cluster.ts', import.meta.url));

export async function startHolder(
  folder: string,
  user?: { readonly uid: number; readonly gid: number },
): Promise<Holder> {
  const child = spawn(process.execPath, [program, folder], { stdio: ['pipe', 'pipe', 'inherit'], cwd: '/', ...user });
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const said = JSON.parse(await nextLine(lines, child));
  return {
    said,
    async kill() {
      child.kill('SIGKILL');
      await exited;
    },
    async leave() {
      child.stdin.end();
      const { isStopped } = JSON.parse(await nextLine(lines, child));
      await exited;
      return isStopped;
    },
  };
}

async function nextLine(lines: AsyncIterator<string>, child: ChildProcess): Promise<string> {
  const line = await lines.next();
  assert(!line.done, `the holder ended with ${child.exitCode ?? child.signalCode} instead of answering`);
  return line.value;
}
