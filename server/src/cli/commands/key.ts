import type { Command } from 'commander';
import type { CliDeps, KeyRotation } from '../deps.ts';
import { type Shown, show } from '../output.ts';

export function addKey(program: Command, deps: CliDeps): void {
  const key = program
    .command('key')
    .description('the master key that seals secrets')
    .addHelpText('after', '\nExample: switchyard key rotate');

  key
    .command('rotate')
    .description('make a new master key and seal every secret anew by it, while the server works')
    .option('--json', 'print one JSON document')
    .addHelpText(
      'after',
      `
The key file of the data folder gets a new key; the older ones stay in it and open what they sealed. Stopped half-way,
run it again: it finishes and makes no other key. Where SWITCHYARD_KEY is set, put the new key before the old one there
(new,old), restart every server, then run this.

Examples:
  switchyard key rotate
  SWITCHYARD_KEY=k2:…,k1:… switchyard key rotate --json`,
    )
    .action(async (options: Shown) => {
      const rotation = await deps.rotateKey((text) => deps.output.note(text));
      const { keyId, isNewKey, resealed } = rotation;
      show(deps.output, options, { keyId, isNewKey, resealed }, () => describe(rotation));
    });
}

function describe({ keyId, isNewKey, isFromSettings, resealed }: KeyRotation): string {
  const sum = Object.values(resealed).reduce((total, count) => total + count, 0);
  if (isNewKey) return `Everything is sealed by the new key ${keyId}: ${sum} value(s) sealed anew.`;
  if (sum > 0) return `Everything is sealed by the key ${keyId} now: ${sum} value(s) were still to be sealed anew.`;
  const remedy = isFromSettings ? ' For another key, put it before the others in SWITCHYARD_KEY and restart.' : '';
  return `Nothing to do: everything is sealed by the key ${keyId}.${remedy}`;
}
