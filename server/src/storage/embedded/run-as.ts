import { spawn } from 'node:child_process';

/** An OS user by its numbers; undefined: whoever runs this process. */
export interface OsUser {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
}

export interface Outcome {
  readonly status: number | null;
  readonly output: string;
}

/** Only what the programs need: a stranger's PGDATA, PGHOST or LD_PRELOAD must not reach them. */
const environment = { PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', LC_ALL: 'C' };

/** What a program may print before the rest is cut off. */
const maxOutputBytes = 64 * 1024;

/**
 * Runs one program to its end as `user`, in a session of its own, so that a Ctrl-C at the terminal does not reach it.
 * Resolves when the program itself has exited: a daemon it leaves behind may hold the pipes open for days.
 */
export function runAs(user: OsUser | undefined, program: string, args: readonly string[]): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, {
      cwd: '/',
      env: environment,
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
      ...(user ? { uid: user.uid, gid: user.gid } : {}),
    });
    let output = '';
    const collect = (chunk: Buffer) => {
      if (output.length < maxOutputBytes) output += chunk.toString('utf8');
    };
    child.stdout.on('data', collect);
    child.stderr.on('data', collect);
    child.on('error', reject);
    child.on('exit', (status) => {
      // One turn of the loop lets what was already written arrive.
      setImmediate(() => {
        child.stdout.destroy();
        child.stderr.destroy();
        resolve({ status, output: output.trim() });
      });
    });
  });
}
