import type { Command } from 'commander';
import type { CliDeps } from '../deps.ts';
import type { Shown } from '../output.ts';

export function addStart(program: Command, deps: CliDeps): void {
  program
    .command('start')
    .description(
      'run the server: gateway, workers, API and console, with a demo and stand-in providers unless SWITCHYARD_DEMO=0',
    )
    .option('--json', 'print where things are as one JSON document')
    .addHelpText(
      'after',
      '\nExamples:\n  switchyard start\n  SWITCHYARD_DEMO=0 DATABASE_URL=postgres://… PUBLIC_URL=https://… switchyard start\n  ROLES=worker switchyard start',
    )
    .action((options: Shown) => deps.start({ isJson: options.json ?? false }));
}
