import type { Command } from 'commander';
import type { CliDeps } from '../deps.ts';
import { CommandFailed } from '../failures.ts';
import { table } from '../output.ts';

const marks = { ok: 'ok', warning: 'warning', problem: 'PROBLEM' } as const;

export function addDoctor(program: Command, deps: CliDeps): void {
  program
    .command('doctor')
    .description('look at settings, database, roles, engines and accounts, and say what is wrong; changes nothing')
    .option('--json', 'print one JSON document')
    .action(async (options: { json?: boolean }) => {
      const findings = await deps.examine();
      if (options.json) deps.output.result(JSON.stringify({ findings }));
      else
        deps.output.result(
          table(
            ['', 'what', 'detail'],
            findings.map((finding) => [marks[finding.state], finding.name, finding.detail]),
          ),
        );
      const problems = findings.filter((finding) => finding.state === 'problem').length;
      if (problems > 0) throw new CommandFailed(`${problems} problem(s)`);
    });
}
