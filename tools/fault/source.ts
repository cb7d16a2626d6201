/** Which program a run tried: parts of a long run that tried another one are no parts of it. */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { fileURLToPath } from 'node:url';

const folders = ['server', 'contract', 'simulator', 'companion', 'tools', 'package-lock.json'];

/** Of all that runs, committed or not; documents do not count. null: this is no checkout that git can tell of. */
export function fingerprintOfSource(): string | null {
  const listed = git(['ls-files', '-s', '--', ...folders]);
  const changed = git(['diff', 'HEAD', '--', ...folders]);
  const unknown = git(['ls-files', '--others', '--exclude-standard', '--', ...folders]);
  const added = unknown === null ? null : git(['hash-object', '--stdin-paths'], unknown);
  if (listed === null || changed === null || added === null) return null;
  return createHash('sha256').update([listed, changed, unknown, added].join('\0')).digest('hex').slice(0, 16);
}

function git(args: readonly string[], input = ''): string | null {
  const cwd = fileURLToPath(new URL('../..', import.meta.url));
  const { status, stdout } = spawnSync('git', [...args], { cwd, input, encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 });
  return status === 0 ? stdout : null;
}
