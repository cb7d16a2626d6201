import { toPublicId } from '@switchyard/contract';
import type { Command } from 'commander';
import { type RouteKind, routeKinds } from '#accounts';
import type { CliDeps } from '../deps.ts';
import { CommandFailed } from '../failures.ts';

/** A person types a key without its kind: the likeliest first. */
const guesses: readonly RouteKind[] = [
  'token',
  'phone_number_id',
  'instagram_id',
  'instance',
  'twilio_address',
  'waba_id',
  ...routeKinds,
];

export function addRoute(program: Command, deps: CliDeps): void {
  program
    .command('route <key>')
    .description('where a token, phone number id, page id or instance leads: account, workspace, who serves it')
    .option('--json', 'print one JSON document')
    .action((key: string, options: { json?: boolean }) =>
      deps.withProduct(async (product) => {
        for (const kind of new Set(guesses)) {
          const routed = await product.accounts.route(kind, key);
          if (routed.kind !== 'found') continue;
          const again = await product.accounts.route(kind, key);
          const workspace = await product.workspaces.find(routed.account.workspaceId);
          const found = {
            kind,
            accountId: toPublicId('account', routed.account.accountId),
            account: routed.account.name,
            workspaceId: toPublicId('workspace', routed.account.workspaceId),
            workspace: workspace?.name ?? null,
            provider: routed.account.provider,
            isActive: routed.account.isActive,
            serving: routed.account.cutover,
            share: routed.account.cutoverShare,
            isCached: again.outcome === 'hit',
          };
          deps.output.result(
            options.json
              ? JSON.stringify(found)
              : `${kind} → ${found.account} (${found.accountId}) of ${found.workspace}, served by ${found.serving}${found.isActive ? '' : ', not active'}`,
          );
          return;
        }
        throw new CommandFailed('nobody here has that token or id');
      }),
    );
}
