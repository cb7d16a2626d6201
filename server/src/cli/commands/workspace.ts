import { toPublicId } from '@switchyard/contract';
import type { Command } from 'commander';
import type { Workspace } from '#workspaces';
import type { CliDeps } from '../deps.ts';
import { CommandFailed } from '../failures.ts';
import { type Shown, show, table } from '../output.ts';

export function addWorkspace(program: Command, deps: CliDeps): void {
  const workspace = program
    .command('workspace')
    .description('tenants')
    .addHelpText('after', '\nExample: switchyard workspace list');

  workspace
    .command('create <name>')
    .description('make a workspace')
    .option('--slug <slug>', 'its short name in URLs and commands; made of the name if left out')
    .option('--json', 'print one JSON document')
    .addHelpText(
      'after',
      '\nExamples:\n  switchyard workspace create "Bazaar Norte"\n  switchyard workspace create "Bazaar Norte" --slug norte --json',
    )
    .action((name: string, options: Shown & { slug?: string }) =>
      deps.withProduct(async (product) => {
        const slug = options.slug === undefined ? {} : { slug: options.slug };
        const made = await product.workspaces.create(name, { ...slug, actor: 'cli' });
        if (!made.ok) throw new CommandFailed(made.refusal.detail);
        const shown = present(made.value);
        show(deps.output, options, { workspace: shown }, () => `Made ${shown.name} (${shown.id}, ${shown.slug}).`);
      }),
    );

  workspace
    .command('list')
    .description('all workspaces')
    .option('--json', 'print one JSON document')
    .addHelpText('after', '\nExample: switchyard workspace list --json')
    .action((options: Shown) =>
      deps.withProduct(async (product) => {
        const workspaces = (await product.workspaces.list()).map(present);
        show(deps.output, options, { workspaces }, () =>
          workspaces.length === 0
            ? 'No workspace yet. Make one: switchyard workspace create NAME'
            : table(
                ['id', 'slug', 'name', 'kind'],
                workspaces.map((one) => [one.id, one.slug, one.name, one.kind]),
              ),
        );
      }),
    );
}

function present(workspace: Workspace) {
  return {
    id: toPublicId('workspace', workspace.id),
    slug: workspace.slug,
    name: workspace.name,
    kind: workspace.kind,
    createdAt: workspace.createdAt.toISOString(),
  };
}
