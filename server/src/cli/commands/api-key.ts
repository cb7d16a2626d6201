import { toPublicId } from '@switchyard/contract';
import type { Command } from 'commander';
import { type CliDeps, loadWorkspace } from '../deps.ts';
import { CommandFailed } from '../failures.ts';

export function addApiKey(program: Command, deps: CliDeps): void {
  program
    .command('api-key')
    .description('keys for programs')
    .command('create')
    .description('make a key; it is shown this once')
    .requiredOption('--workspace <id or slug>', 'whose key')
    .option('--name <name>', 'what it is for', 'cli')
    .option('--scopes <list>', 'read, write, or RESOURCE:read, RESOURCE:write, by commas', 'read,write')
    .option('--json', 'print one JSON document')
    .addHelpText('after', '\nExample: switchyard api-key create --workspace demo --scopes read,messages:write')
    .action((options: { workspace: string; name: string; scopes: string; json?: boolean }) =>
      deps.withProduct(async (product) => {
        const workspace = await loadWorkspace(product, options.workspace);
        const scopes = options.scopes.split(',').map((scope) => scope.trim());
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
        deps.output.result(
          options.json ? JSON.stringify({ id: toPublicId('apiKey', key.id), key: secret, scopes }) : secret,
        );
      }),
    );
}
