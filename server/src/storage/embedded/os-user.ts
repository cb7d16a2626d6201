import { readFile } from 'node:fs/promises';
import { EmbeddedFailure } from './failures.ts';
import { type OsUser, runAs } from './run-as.ts';

const userName = 'switchyard';

/**
 * Postgres refuses to run as root: then it runs as the system user `switchyard`, made here when missing. An ordinary
 * user runs it as themselves (undefined).
 */
export async function chooseOsUser(): Promise<OsUser | undefined> {
  if (process.getuid?.() !== 0) return undefined;
  const present = await findUser(userName);
  if (present) return present;
  const tried = await makeUser();
  // Two first starts at once: the other one may have made it.
  const made = await findUser(userName);
  if (made) return made;
  throw new EmbeddedFailure(
    'no_os_user',
    `PostgreSQL does not run as root, and the system user "${userName}" could not be made (${tried}): make it, or start as an ordinary user.`,
  );
}

export async function findUser(name: string): Promise<OsUser | undefined> {
  const lines = await readFile('/etc/passwd', 'utf8').catch(() => '');
  const fields = lines
    .split('\n')
    .map((line) => line.split(':'))
    .find((entry) => entry[0] === name);
  if (!fields) return undefined;
  return { name, uid: Number(fields[2]), gid: Number(fields[3]) };
}

/** Debian, Fedora and the like have useradd; Alpine has adduser. Gives what the last one said. */
async function makeUser(): Promise<string> {
  const attempts: readonly (readonly [program: string, ...args: string[]])[] = [
    ['useradd', '--system', '--user-group', '--no-create-home', '--home-dir', '/', '--shell', '/bin/false', userName],
    ['adduser', '-S', '-D', '-H', '-s', '/bin/false', userName],
  ];
  let said = '';
  for (const [program, ...args] of attempts) {
    try {
      const outcome = await runAs(undefined, program, args);
      if (outcome.status === 0) return '';
      said = `${program}: ${outcome.output}`;
    } catch {
      said ||= `${program} is not installed`;
    }
  }
  return said;
}
