import { toPublicId } from '@switchyard/contract';
import type { Command } from 'commander';
import { mustConfirm } from '../confirm.ts';
import type { CliDeps } from '../deps.ts';
import { CommandFailed } from '../failures.ts';
import { type Shown, show } from '../output.ts';

/** What the operator does for a person who cannot do it for themselves. */
export function addPerson(program: Command, deps: CliDeps): void {
  const person = program
    .command('person')
    .description('people of this server, whatever workspaces they are in')
    .addHelpText('after', '\nExample: switchyard person reset-password ana@example.com');
  addReset(person, deps);
}

function addReset(person: Command, deps: CliDeps): void {
  person
    .command('reset-password <email>')
    .description('make a new password, shown this once; all their sessions end, their second factor stays')
    .option('--yes', 'do not ask')
    .option('--json', 'print one JSON document')
    .addHelpText(
      'after',
      '\nExamples:\n  switchyard person reset-password ana@example.com\n  switchyard person reset-password ana@example.com --yes --json',
    )
    .action((email: string, options: Shown & { readonly yes?: boolean }) =>
      deps.withProduct(async (product) => {
        const known = await product.people.findByEmail(email);
        if (!known) throw new CommandFailed(`there is nobody with ${email}`);
        await mustConfirm(deps.confirm, options.yes ?? false, `Make a new password for ${known.email}?`);
        const reset = await product.people.resetPassword(known.email, 'cli');
        if (!reset) throw new CommandFailed(`there is nobody with ${email}`);
        if (!reset.ok) throw new CommandFailed(reset.refusal.detail);
        const { password } = reset.value;
        if (!options.json) deps.output.note(`The new password of ${known.email}; it is not shown again.`);
        const shown = { id: toPublicId('person', known.id), email: known.email, password };
        show(deps.output, options, shown, () => password);
      }),
    );
}
