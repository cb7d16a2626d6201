import { toPublicId } from '@switchyard/contract';
import type { Command } from 'commander';
import type { TokenListing } from '#accounts';
import { type CliDeps, loadWorkspace } from '../deps.ts';
import { type Shown, show, table } from '../output.ts';

interface Options extends Shown {
  readonly workspace?: string;
}

export function addTokens(program: Command, deps: CliDeps): void {
  program
    .command('tokens')
    .description('webhook tokens with their URLs; they are secrets')
    .option('--workspace <id or slug>', 'only this workspace’s')
    .option('--json', 'print one JSON document')
    .addHelpText('after', '\nExamples:\n  switchyard tokens\n  switchyard tokens --workspace demo --json')
    .action((options: Options) =>
      deps.withProduct(async (product) => {
        const workspace = options.workspace === undefined ? null : await loadWorkspace(product, options.workspace);
        const tokens = (await product.accounts.listTokens(workspace?.id ?? null)).map(present);
        show(deps.output, options, { tokens }, () =>
          tokens.length === 0 ? 'No tokens: no account yet.' : draw(tokens),
        );
      }),
    );
}

function present({ account, workspaceName, webhookUrl, createdAt, retiresAt, lastUsedAt }: TokenListing) {
  return {
    name: account.name,
    workspace: workspaceName,
    accountId: toPublicId('account', account.id),
    provider: account.provider,
    instance: account.settings.instance ?? account.settings.session ?? null,
    status: account.connectionStatus,
    enabled: account.isActive,
    phone: account.phoneNumber,
    token: decodeURIComponent(webhookUrl.split('/').at(-1) ?? ''),
    url: webhookUrl,
    createdAt: createdAt.toISOString(),
    retiresAt: retiresAt?.toISOString() ?? null,
    lastUsedAt: lastUsedAt?.toISOString() ?? null,
  };
}

function draw(tokens: readonly ReturnType<typeof present>[]): string {
  return table(
    ['name', 'workspace', 'provider', 'phone', 'enabled', 'last used', 'url'],
    tokens.map((token) => [
      token.name,
      token.workspace,
      token.provider,
      token.phone,
      token.enabled ? (token.retiresAt ? `until ${token.retiresAt}` : 'yes') : 'no',
      token.lastUsedAt,
      token.url,
    ]),
  );
}
