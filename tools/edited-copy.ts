/**
 * A copy of the server's sources in which some places are rewritten: a bug that the checker must catch, a part left out for
 * a measurement beside it. Nothing of it is in the product.
 */
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export interface Edit {
  /** In `server/src`. */
  readonly file: string;
  /** Found exactly once; an edit that has lost its ground throws instead of proving nothing. */
  readonly find: string | RegExp;
  readonly put: string;
}

export interface EditedCopy {
  /** As a checkout, but with the server only: `gateway` and `worker` can be started from it. */
  readonly home: string;
  remove(): void;
}

const checkout = fileURLToPath(new URL('..', import.meta.url));
const parts = ['server/src', 'server/package.json', 'package.json'] as const;

/** What is compiled of it goes to the checkout's cache unless NODE_COMPILE_CACHE says otherwise. */
export function makeEditedCopy(edits: readonly Edit[]): EditedCopy {
  const home = mkdtempSync(join(tmpdir(), 'switchyard-edited-'));
  const remove = () => rmSync(home, { recursive: true, force: true });
  try {
    for (const part of parts) cpSync(join(checkout, part), join(home, part), { recursive: true });
    symlinkSync(join(checkout, 'node_modules'), join(home, 'node_modules'));
    for (const edit of edits) rewrite(join(home, 'server/src', edit.file), edit);
    return { home, remove };
  } catch (error) {
    remove();
    throw error;
  }
}

function rewrite(path: string, { file, find, put }: Edit): void {
  const text = readFileSync(path, 'utf8');
  const places = typeof find === 'string' ? text.split(find).length - 1 : [...text.matchAll(everywhere(find))].length;
  if (places !== 1) throw new Error(`the place to rewrite is ${places} times in ${file}, not once: ${String(find)}`);
  writeFileSync(
    path,
    text.replace(find, () => put),
  );
}

function everywhere(find: RegExp): RegExp {
  return new RegExp(find.source, `${find.flags.replace('g', '')}g`);
}
