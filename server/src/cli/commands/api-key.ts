import { toPublicId } from '@switchyard/contract';
import type { Command } from 'commander';
import { type CliDeps, loadWorkspace } from '../deps.ts';
import { CommandFailed } from '../failures.ts';
import { type Shown, show } from '../output.ts';

interface Options extends Shown {
  readonly workspace: string;
  readonly name: string;
  readonly scopes: string;
}

export function addApiKey(program: Command, deps: CliDeps): void {
  const example = '\nExample: switchyard api-key create --workspace demo --scopes read,messages:write';
  program
    .command('api-key')
    .description('keys for programs')
    .addHelpText('after', example)
    .command('create')
    .description('make a key; it is shown this once')
    .requiredOption('--workspace <id or slug>', 'whose key')
    .option('--name <name>', 'what it is for', 'cli')
    .option('--scopes <list>', 'read, write, or RESOURCE:read, RESOURCE:write, by commas', 'read,write')
    .option('--json', 'print one JSON document')
    .addHelpText('after', example)
    .action((options: Options) =>
      deps.withProduct(async (product) => {
        const workspace = await loadWorkspace(product, options.workspace);
        const scopes = options.scopes
          .split(',')
          .map((scope) => scope.trim())
          .filter(Boolean);
        const made = await product.workspaces.createApiKey(workspace.id, { name: options.name, scopes });
        if (!made.ok) throw new CommandFailed(made.refusal.detail);
        const { key, secret } = made.value;
        await product.storage.inWorkspace(workspace.id, (tx) =>
          product.workspaces.audit(tx, {
            actor: 'cli',
            action: 'create',
            resource: `api-key ${key.id}`,
            fields: { scopes },
          }),
        );
        if (!options.json)
          deps.output.note(`A key of ${workspace.name} for ${scopes.join(', ')}; it is not shown again.`);
        show(
          deps.output,
          options,
          {
            id: toPublicId('apiKey', key.id),
            workspaceId: toPublicId('workspace', workspace.id),
            name: key.name,
            key: secret,
            scopes,
          },
          () => secret,
        );
      }),
    );
}
