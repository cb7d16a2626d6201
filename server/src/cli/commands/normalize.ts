/** `switchyard normalize`: what a provider's bytes mean, without server and without database. */
import { readFileSync } from 'node:fs';
import { type InboundEvent, parseProvider, providerAliases, providers } from '@switchyard/contract';
import type { Command } from 'commander';
import type { Channel, UnreadablePart } from '#channels';
import type { CliDeps } from '../deps.ts';
import { WrongUse } from '../failures.ts';
import { type Shown, show, table } from '../output.ts';

interface NormalisedFile {
  readonly file: string;
  readonly events: readonly InboundEvent[];
  readonly unreadable: readonly UnreadablePart[];
}

export function addNormalize(program: Command, deps: CliDeps): void {
  program
    .command('normalize')
    .description('read webhook bodies from files (or - for stdin) and print the events in them')
    .requiredOption('--provider <name>', `${providers.join(', ')}, or a payload collection's name for one of them`)
    .option('--json', 'print one JSON document')
    .argument('<file...>', 'files with a raw body each; - for stdin')
    .addHelpText(
      'after',
      '\nExamples:\n  switchyard normalize --provider meta body.json --json\n  curl -s … | switchyard normalize --provider twilio -',
    )
    .action((files: string[], options: Shown & { provider: string }) => {
      const provider = parseProvider(options.provider);
      if (!provider) {
        const known = [...providers, ...Object.keys(providerAliases)].join(', ');
        throw new WrongUse(`--provider ${options.provider} is not one of ${known}`);
      }
      const read = files.map((file) => normaliseFile(deps.channels[provider], file));
      show(deps.output, options, read, () => describe(read));
    });
}

function normaliseFile(channel: Channel, file: string): NormalisedFile {
  const body = readBody(file);
  const normalised = channel.normalise({ headers: {}, target: '', body, receivedAt: new Date().toISOString() });
  return { file, ...normalised };
}

function readBody(file: string): Buffer {
  try {
    return readFileSync(file === '-' ? 0 : file);
  } catch (error) {
    throw new WrongUse(`${file} cannot be read: ${error instanceof Error ? error.message : String(error)}`);
  }
}

function describe(read: readonly NormalisedFile[]): string {
  const rows = read.flatMap(({ file, events, unreadable }) => [
    ...events.map((event) => [file, event.kind, event.type, event.key, event.path] as const),
    ...unreadable.map((part) => [file, 'unreadable', '', part.reason, part.path] as const),
  ]);
  return rows.length === 0 ? 'No events.' : table(['file', 'kind', 'type', 'key', 'path'], rows);
}
