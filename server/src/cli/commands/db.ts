import type { Command } from 'commander';
import {
  type CatalogueDifference,
  checkCatalogue,
  type MigrationStep,
  migrate,
  migrationStates,
  rollback,
} from '#storage';
import { mustConfirm } from '../confirm.ts';
import type { CliDeps } from '../deps.ts';
import { CommandFailed } from '../failures.ts';
import { type Shown, show, table } from '../output.ts';

interface RollbackOptions extends Shown {
  readonly to?: string;
  readonly yes?: boolean;
}

interface StatusOptions extends Shown {
  readonly check?: boolean;
}

export function addDatabase(program: Command, deps: CliDeps): void {
  const db = program
    .command('db')
    .description('the schema: bring it up, take it back, compare it')
    .addHelpText('after', '\nExample: switchyard db status --check');

  db.command('migrate')
    .description('bring the schema to the newest migration')
    .option('--json', 'print one JSON document')
    .addHelpText('after', '\nExample: DATABASE_URL=postgres://… switchyard db migrate')
    .action(async (options: Shown) => {
      const steps = await deps.withOwnerUrl((ownerUrl) => migrate({ ownerUrl }));
      show(
        deps.output,
        options,
        { steps },
        () => linesOf(steps) || 'Nothing to do: the schema is at the newest migration.',
      );
    });

  db.command('rollback')
    .description('take the last migration back; the rows of the tables it made are gone')
    .option('--to <name>', 'take back all that came after this one; "none" takes back all')
    .option('--yes', 'do not ask')
    .option('--json', 'print one JSON document')
    .addHelpText('after', '\nExamples:\n  switchyard db rollback\n  switchyard db rollback --to none --yes')
    .action(async (options: RollbackOptions) => {
      const { to } = options;
      await mustConfirm(
        deps.confirm,
        options.yes ?? false,
        `This takes back ${to === undefined ? 'the last migration' : to === 'none' ? 'every migration' : `all after ${to}`} and drops tables with their rows. Go on?`,
      );
      const steps = await deps.withOwnerUrl((ownerUrl) => rollback({ ownerUrl, ...(to === undefined ? {} : { to }) }));
      show(deps.output, options, { steps }, () => linesOf(steps) || 'Nothing to take back.');
    });

  db.command('status')
    .description('which migrations have run; with --check, how the live schema differs from what they make')
    .option('--check', 'compare columns, constraints, indexes, views and policies one by one')
    .option('--json', 'print one JSON document')
    .addHelpText('after', '\nExamples:\n  switchyard db status\n  switchyard db status --check --json')
    .action(async (options: StatusOptions) => {
      const { states, differences } = await deps.withOwnerUrl(async (ownerUrl) => ({
        states: await migrationStates({ ownerUrl }),
        differences: options.check ? await checkCatalogue({ ownerUrl }) : null,
      }));
      const migrations = states.map(({ name, executedAt }) => ({
        name,
        executedAt: executedAt?.toISOString() ?? null,
      }));
      show(deps.output, options, { migrations, differences }, () =>
        [
          table(
            ['migration', 'run at'],
            migrations.map(({ name, executedAt }) => [name, executedAt ?? 'not yet']),
          ),
          ...(differences ? ['', describeDifferences(differences)] : []),
        ].join('\n'),
      );
      if (differences && differences.length > 0)
        throw new CommandFailed(`the live schema differs in ${differences.length} thing(s)`);
    });
}

function linesOf(steps: readonly MigrationStep[]): string {
  return steps.map((step) => `${step.direction} ${step.name}`).join('\n');
}

function describeDifferences(differences: readonly CatalogueDifference[]): string {
  if (differences.length === 0) return 'The live schema is as the migrations make it.';
  return differences
    .map(({ kind, thing, expected, found }) => {
      const sides = [expected && `expected: ${expected}`, found && `found: ${found}`].filter(Boolean).join('; ');
      return `${kind} ${thing}${sides ? ` (${sides})` : ''}`;
    })
    .join('\n');
}
