import { parseId, toPublicId } from '@switchyard/contract';
import type { Command } from 'commander';
import type { ApiKey } from '#workspaces';
import { type CliDeps, loadWorkspace } from '../deps.ts';
import { CommandFailed, WrongUse } from '../failures.ts';
import { type Shown, show, table } from '../output.ts';

interface OfWorkspace extends Shown {
  readonly workspace: string;
}

interface Options extends OfWorkspace {
  readonly name: string;
  readonly scopes: string;
  readonly days?: string;
}

const dayMs = 24 * 3_600_000;

export function addApiKey(program: Command, deps: CliDeps): void {
  const keys = program
    .command('api-key')
    .description('keys for programs')
    .addHelpText('after', '\nExample: switchyard api-key create --workspace demo --scopes read,messages:write');
  addCreate(keys, deps);
  addList(keys, deps);
  addRevoke(keys, deps);
}

function addCreate(keys: Command, deps: CliDeps): void {
  keys
    .command('create')
    .description('make a key; it is shown this once')
    .requiredOption('--workspace <id or slug>', 'whose key')
    .option('--name <name>', 'what it is for', 'cli')
    .option('--scopes <list>', 'read, write, or RESOURCE:read, RESOURCE:write, by commas', 'read,write')
    .option('--days <number>', 'how long it works; for good if left out')
    .option('--json', 'print one JSON document')
    .addHelpText(
      'after',
      '\nExample: switchyard api-key create --workspace demo --scopes read,messages:write --days 90',
    )
    .action((options: Options) =>
      deps.withProduct(async (product) => {
        const workspace = await loadWorkspace(product, options.workspace);
        const scopes = options.scopes
          .split(',')
          .map((scope) => scope.trim())
          .filter(Boolean);
        const expiresAt = options.days === undefined ? {} : { expiresAt: endOf(options.days) };
        const asked = { name: options.name, scopes, actor: 'cli', ...expiresAt };
        const made = await product.workspaces.createApiKey(workspace.id, asked);
        if (!made.ok) throw new CommandFailed(made.refusal.detail);
        const { key, secret } = made.value;
        if (!options.json)
          deps.output.note(`A key of ${workspace.name} for ${scopes.join(', ')}; it is not shown again.`);
        const workspaceId = toPublicId('workspace', workspace.id);
        show(deps.output, options, { ...present(key), workspaceId, key: secret }, () => secret);
      }),
    );
}

function addList(keys: Command, deps: CliDeps): void {
  keys
    .command('list')
    .description('keys, the newest first; never their secrets')
    .requiredOption('--workspace <id or slug>', 'whose keys')
    .option('--json', 'print one JSON document')
    .addHelpText('after', '\nExample: switchyard api-key list --workspace demo')
    .action((options: OfWorkspace) =>
      deps.withProduct(async (product) => {
        const workspace = await loadWorkspace(product, options.workspace);
        const listed = (await product.workspaces.listApiKeys(workspace.id)).map(present);
        show(deps.output, options, { apiKeys: listed }, () =>
          table(
            ['id', 'name', 'ends in', 'scopes', 'last used', 'state'],
            listed.map((key) => [
              key.id,
              key.name,
              key.lastFour,
              key.scopes.join(' '),
              key.lastUsedAt ?? '–',
              stateOf(key),
            ]),
          ),
        );
      }),
    );
}

function addRevoke(keys: Command, deps: CliDeps): void {
  keys
    .command('revoke <id>')
    .description('refuse a key from now on')
    .requiredOption('--workspace <id or slug>', 'whose key')
    .option('--json', 'print one JSON document')
    .addHelpText('after', '\nExample: switchyard api-key revoke key_0190… --workspace demo')
    .action((id: string, options: OfWorkspace) =>
      deps.withProduct(async (product) => {
        const workspace = await loadWorkspace(product, options.workspace);
        const keyId = parseId('apiKey', id);
        const isRevoked = keyId && (await product.workspaces.revokeApiKey(workspace.id, keyId, 'cli'));
        if (!isRevoked) throw new CommandFailed(`there is no living key ${id} in ${workspace.slug}`);
        show(deps.output, options, { revoked: toPublicId('apiKey', keyId) }, () => 'Revoked.');
      }),
    );
}

function endOf(days: string): Date {
  if (!/^[1-9]\d{0,3}$/.test(days)) throw new WrongUse(`--days ${days} is not a number of days from 1 to 9999`);
  return new Date(Date.now() + Number(days) * dayMs);
}

function present(key: ApiKey) {
  return {
    id: toPublicId('apiKey', key.id),
    name: key.name,
    lastFour: key.lastFour,
    scopes: key.scopes,
    createdAt: key.createdAt.toISOString(),
    lastUsedAt: key.lastUsedAt?.toISOString() ?? null,
    expiresAt: key.expiresAt?.toISOString() ?? null,
    revokedAt: key.revokedAt?.toISOString() ?? null,
  };
}

function stateOf(key: ReturnType<typeof present>): string {
  if (key.revokedAt) return 'revoked';
  return key.expiresAt && new Date(key.expiresAt) <= new Date() ? 'expired' : 'living';
}
