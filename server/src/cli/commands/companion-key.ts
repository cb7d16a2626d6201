import { parseId, toPublicId } from '@switchyard/contract';
import type { Command } from 'commander';
import type { Workspace } from '#workspaces';
import { type CliDeps, type CliProduct, loadWorkspace } from '../deps.ts';
import { CommandFailed, WrongUse } from '../failures.ts';
import { type Shown, show, table } from '../output.ts';

interface KeyOptions extends Shown {
  readonly workspace?: string;
}

export function addCompanionKey(program: Command, deps: CliDeps): void {
  const keys = program
    .command('companion-key')
    .description('keys of companions, which run WhatsApp web sessions')
    .addHelpText('after', '\nExample: switchyard companion-key create "machine one"');
  const whose = 'the workspace that it may run accounts of; every workspace if left out';
  keys
    .command('create <name>')
    .description('make a key; it is shown once')
    .option('--workspace <id or slug>', whose)
    .option('--json', 'print one JSON document')
    .action((name: string, options: KeyOptions) =>
      deps.withProduct(async (product) => {
        const workspace = await workspaceOf(product, options);
        const { id, secret } = await product.companions.createKey(workspace.id, name);
        await audit(product, workspace, { action: 'create', id });
        const key = `${toPublicId('companionKey', id)}.${secret}`;
        show(
          deps.output,
          options,
          { id: toPublicId('companionKey', id), key },
          () => `SWITCHYARD_COMPANION_KEY=${key}`,
        );
      }),
    );
  keys
    .command('list')
    .description('keys and when they were last used')
    .option('--workspace <id or slug>', 'whose; the operator’s if left out')
    .option('--json', 'print one JSON document')
    .action((options: KeyOptions) =>
      deps.withProduct(async (product) => {
        const workspace = await workspaceOf(product, options);
        const listed = (await product.companions.listKeys(workspace.id)).map(({ id, ...key }) => ({
          id: toPublicId('companionKey', id),
          name: key.name,
          lastUsedAt: key.lastUsedAt?.toISOString() ?? null,
          revokedAt: key.revokedAt?.toISOString() ?? null,
        }));
        show(deps.output, options, { keys: listed }, () =>
          table(
            ['id', 'name', 'last used', 'revoked'],
            listed.map((key) => [key.id, key.name, key.lastUsedAt, key.revokedAt]),
          ),
        );
      }),
    );
  keys
    .command('revoke <id>')
    .description('refuse a key from now on')
    .option('--workspace <id or slug>', 'whose; the operator’s if left out')
    .option('--json', 'print one JSON document')
    .action((text: string, options: KeyOptions) =>
      deps.withProduct(async (product) => {
        const id = parseId('companionKey', text);
        if (!id) throw new WrongUse(`${text} is not the id of a companion's key`);
        const workspace = await workspaceOf(product, options);
        if (!(await product.companions.revokeKey(workspace.id, id))) throw new CommandFailed('there is no such key');
        await audit(product, workspace, { action: 'revoke', id });
        show(deps.output, options, { id: text, revoked: true }, () => 'Revoked.');
      }),
    );
}

function workspaceOf(product: CliProduct, { workspace }: KeyOptions): Promise<Workspace> {
  return workspace ? loadWorkspace(product, workspace) : product.workspaces.operatorWorkspace();
}

function audit(product: CliProduct, workspace: Workspace, act: { readonly action: string; readonly id: string }) {
  return product.storage.inWorkspace(workspace.id, (tx) =>
    product.workspaces.audit(tx, { actor: 'cli', action: act.action, resource: `companion-key ${act.id}` }),
  );
}
