import type { Command } from 'commander';
import type { CliDeps } from '../deps.ts';
import { CommandFailed } from '../failures.ts';
import { type Shown, show } from '../output.ts';

const marks = { ok: 'ok', warning: 'warning', problem: 'PROBLEM' } as const;

export function addDoctor(program: Command, deps: CliDeps): void {
  program
    .command('doctor')
    .description('look at settings, data folder, database, roles, engines, ports and console, and say what is wrong')
    .option('--json', 'print one JSON document')
    .addHelpText(
      'after',
      '\nIt changes nothing. Exit status 1 when something keeps the server from starting.\n\nExamples:\n  switchyard doctor\n  DATABASE_URL=postgres://… REDIS_URL=redis://… switchyard doctor --json',
    )
    .action(async (options: Shown) => {
      const findings = await deps.examine();
      show(deps.output, options, { findings }, () =>
        findings.map(({ state, name, detail }) => `${marks[state].padEnd(8)} ${name.padEnd(18)} ${detail}`).join('\n'),
      );
      const problems = findings.filter((finding) => finding.state === 'problem').length;
      if (problems > 0)
        throw new CommandFailed(problems === 1 ? 'there is 1 problem' : `there are ${problems} problems`);
    });
}
