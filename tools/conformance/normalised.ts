/** `switchyard normalize`, one real command for each provider's name, over all of its files. */
import { join } from 'node:path';
import { runCommand } from '../bench/processes.ts';
import { type Entry, isKnownEmpty } from './manifest.ts';
import type { Verdict } from './verdict.ts';

export interface NormalisedFile {
  readonly file: string;
  readonly events: readonly {
    readonly kind: string;
    readonly type: string;
    readonly bindings: readonly { readonly kind: string; readonly value: string }[];
  }[];
  readonly unreadable: readonly { readonly path: string; readonly reason: string }[];
}

export interface NormalisedEntry {
  readonly entry: Entry;
  readonly normalised: NormalisedFile;
}

export async function normaliseAll(folder: string, entries: readonly Entry[]): Promise<readonly NormalisedEntry[]> {
  const names = [...new Set(entries.map(({ providerName }) => providerName))];
  const read = await Promise.all(
    names.map(async (name) => {
      const ofName = entries.filter(({ providerName }) => providerName === name);
      const files = ofName.map(({ file }) => join(folder, file));
      const found = await runCommand<readonly NormalisedFile[]>(['normalize', '--provider', name, ...files], {});
      return ofName.map((entry, index) => ({ entry, normalised: found[index]! }));
    }),
  );
  return read.flat();
}

export function checkNormalised({ entry, normalised }: NormalisedEntry): Verdict {
  const verdict = { check: 'normalised', provider: entry.provider, file: entry.file } as const;
  const [unreadable] = normalised.unreadable;
  if (unreadable) return { ...verdict, failure: `${unreadable.path || 'the body'}: ${unreadable.reason}` };
  if (normalised.events.length === 0 && !isKnownEmpty(entry)) return { ...verdict, failure: 'there is no event in it' };
  const unknown = normalised.events.filter(({ kind }) => kind === 'unsupported');
  return unknown.length === 0 ? verdict : { ...verdict, remark: `${unknown.length} event(s) kept as unsupported` };
}
