import type { Command } from 'commander';
import { checkCatalogue, migrate, migrationStates, rollback } from '#storage';
import type { CliDeps } from '../deps.ts';
import { CommandFailed } from '../failures.ts';
import { table } from '../output.ts';

interface Options {
  readonly json?: boolean;
  readonly to?: string;
  readonly check?: boolean;
  readonly yes?: boolean;
}

export function addDatabase(program: Command, deps: CliDeps): void {
  const db = program.command('db').description('the schema: bring it up, take it back, compare it');

  db.command('migrate')
    .description('bring the schema to the newest migration')
    .option('--json', 'print one JSON document')
    .action(async (options: Options) => {
      const steps = await deps.withOwnerUrl((ownerUrl) => migrate({ ownerUrl }));
      if (options.json) deps.output.result(JSON.stringify({ steps }));
      else
        deps.output.result(
          steps.length === 0
            ? 'Nothing to do: the schema is at the newest migration.'
            : steps.map((step) => `${step.direction} ${step.name}`).join('\n'),
        );
    });

  db.command('rollback')
    .description('take the last migration back; the rows of dropped tables are gone')
    .option('--to <name>', 'take back all that came after this one; "none" takes back all')
    .option('--yes', 'do not ask')
    .option('--json', 'print one JSON document')
    .action(async (options: Options) => {
      if (!options.yes)
        throw new CommandFailed('this drops tables with their rows; say --yes if that is what you want');
      const { to } = options;
      const steps = await deps.withOwnerUrl((ownerUrl) => rollback({ ownerUrl, ...(to === undefined ? {} : { to }) }));
      deps.output.result(
        options.json
          ? JSON.stringify({ steps })
          : steps.map((step) => `${step.direction} ${step.name}`).join('\n') || 'Nothing to take back.',
      );
    });

  db.command('status')
    .description('which migrations have run; with --check, how the live schema differs from what they make')
    .option('--check', 'compare columns, constraints, indexes, views and policies one by one')
    .option('--json', 'print one JSON document')
    .action(async (options: Options) => {
      const { states, differences } = await deps.withOwnerUrl(async (ownerUrl) => ({
        states: await migrationStates({ ownerUrl }),
        differences: options.check ? await checkCatalogue({ ownerUrl }) : null,
      }));
      if (options.json) deps.output.result(JSON.stringify({ migrations: states, differences }));
      else {
        deps.output.result(
          table(
            ['migration', 'run at'],
            states.map((state) => [state.name, state.executedAt?.toISOString() ?? 'not yet']),
          ),
        );
        if (differences)
          deps.output.result(
            differences.length === 0
              ? 'The live schema is as the migrations make it.'
              : differences.map((difference) => Object.values(difference).join(' ')).join('\n'),
          );
      }
      if (differences && differences.length > 0) throw new CommandFailed(`${differences.length} difference(s)`);
    });
}
