import { toPublicId } from '@switchyard/contract';
import type { Command } from 'commander';
import type { Workspace } from '#workspaces';
import type { CliDeps } from '../deps.ts';
import { CommandFailed } from '../failures.ts';
import { table } from '../output.ts';

export function addWorkspace(program: Command, deps: CliDeps): void {
  const workspace = program.command('workspace').description('tenants');

  workspace
    .command('create <name>')
    .description('make a workspace')
    .option('--slug <slug>', 'its short name in URLs and commands; made of the name if left out')
    .option('--json', 'print one JSON document')
    .action((name: string, options: { slug?: string; json?: boolean }) =>
      deps.withProduct(async (product) => {
        const made = await product.workspaces.create(name, options.slug === undefined ? {} : { slug: options.slug });
        if (!made.ok) throw new CommandFailed(made.refusal.detail);
        deps.output.result(
          options.json
            ? JSON.stringify({ workspace: present(made.value) })
            : `Made ${made.value.name} (${toPublicId('workspace', made.value.id)}, ${made.value.slug}).`,
        );
      }),
    );

  workspace
    .command('list')
    .description('all workspaces')
    .option('--json', 'print one JSON document')
    .action((options: { json?: boolean }) =>
      deps.withProduct(async (product) => {
        const all = (await product.workspaces.list()).map(present);
        if (options.json) deps.output.result(JSON.stringify({ workspaces: all }));
        else if (all.length === 0) deps.output.result('No workspace yet. Make one: switchyard workspace create NAME');
        else
          deps.output.result(
            table(
              ['id', 'slug', 'name', 'kind'],
              all.map((one) => [one.id, one.slug, one.name, one.kind]),
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
