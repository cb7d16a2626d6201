import { toPublicId } from '@switchyard/contract';
import type { Command } from 'commander';
import { type CliDeps, loadWorkspace } from '../deps.ts';
import { table } from '../output.ts';

export function addTokens(program: Command, deps: CliDeps): void {
  program
    .command('tokens')
    .description('webhook tokens with their URLs; they are secrets')
    .option('--workspace <id or slug>', 'only this workspace’s')
    .option('--json', 'print one JSON document')
    .action((options: { workspace?: string; json?: boolean }) =>
      deps.withProduct(async (product) => {
        const workspace = options.workspace === undefined ? null : await loadWorkspace(product, options.workspace);
        const listings = await product.accounts.listTokens(workspace?.id ?? null);
        const tokens = listings.map(({ account, workspaceName, webhookUrl, createdAt, retiresAt, lastUsedAt }) => ({
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
        }));
        if (options.json) deps.output.result(JSON.stringify({ tokens }));
        else if (tokens.length === 0) deps.output.result('No tokens: no account yet.');
        else
          deps.output.result(
            table(
              ['name', 'workspace', 'provider', 'phone', 'enabled', 'last used', 'url'],
              tokens.map((token) => [
                token.name,
                token.workspace,
                token.provider,
                token.phone,
                token.enabled ? 'yes' : 'no',
                token.lastUsedAt,
                token.url,
              ]),
            ),
          );
      }),
    );
}
