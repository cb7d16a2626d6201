import { toPublicId } from '@switchyard/contract';
import type { Command } from 'commander';
import { cleanBinding, listRoutingCounts, type Routed, type RouteKind, routeKinds } from '#accounts';
import type { CliDeps, CliProduct } from '../deps.ts';
import { CommandFailed } from '../failures.ts';
import { type Shown, show } from '../output.ts';

/** A person types a key without its kind: the likeliest first. Verify tokens are nobody's address. */
const guesses: readonly RouteKind[] = [
  ...new Set<RouteKind>(['token', 'phone_number_id', 'instagram_id', 'instance', 'twilio_address', ...routeKinds]),
].filter((kind) => kind !== 'challenge');

export function addRoute(program: Command, deps: CliDeps): void {
  program
    .command('route <key>')
    .description(
      'where a token, phone number id, page id, instance or Twilio sender leads: account, workspace, who serves',
    )
    .option('--json', 'print one JSON document')
    .addHelpText(
      'after',
      `
"cached" tells whether this look-up was answered from a cache; a process that has just begun knows only what is shared
(Redis). "this hour" is what the running servers counted: hits needed no query.

Examples:
  switchyard route 1065…
  switchyard route demo-shop --json`,
    )
    .action((key: string, options: Shown) =>
      deps.withProduct(async (product) => {
        const found = await findRoute(product, key);
        if (!found) throw new CommandFailed('nobody here has that token or id');
        const shown = await present(product, found);
        show(deps.output, options, shown, () => describe(shown));
      }),
    );
}

interface Found {
  readonly kind: RouteKind;
  readonly routed: Extract<Routed, { kind: 'found' }>;
}

async function findRoute({ accounts }: CliProduct, key: string): Promise<Found | null> {
  for (const kind of guesses) {
    const routed = await accounts.lookUp(kind, kind === 'twilio_address' ? twilioKey(key) : key);
    if (routed.kind === 'found') return { kind, routed };
  }
  return null;
}

/** A sender in any spelling, or an account's or a messaging service's SID as it is. */
function twilioKey(key: string): string {
  return /^(whatsapp:|\+|\d)/i.test(key) ? cleanBinding('twilio_address', key) : key;
}

async function present(product: CliProduct, { kind, routed }: Found) {
  const { account } = routed;
  const workspace = await product.workspaces.find(account.workspaceId);
  const counts = await product.storage.inWorkspace(account.workspaceId, (tx) =>
    listRoutingCounts(tx, account.accountId, new Date()),
  );
  return {
    kind,
    accountId: toPublicId('account', account.accountId),
    account: account.name,
    workspaceId: toPublicId('workspace', account.workspaceId),
    workspace: workspace?.name ?? null,
    provider: account.provider,
    isActive: account.isActive,
    serving: account.cutover,
    share: account.cutoverShare,
    isCached: routed.outcome === 'hit',
    thisHour: counts,
  };
}

function describe(found: Awaited<ReturnType<typeof present>>): string {
  const { hit, miss } = found.thisHour;
  return [
    `${found.kind} → ${found.account} (${found.accountId})`,
    `workspace  ${found.workspace} (${found.workspaceId})`,
    `provider   ${found.provider}${found.isActive ? '' : ', not active'}`,
    `served by  ${found.serving}${found.serving === 'split' ? `, ${found.share} % here` : ''}`,
    `cached     ${found.isCached ? 'yes' : 'no'}; this hour the servers routed to it ${hit + miss} time(s), ${hit} from their caches`,
  ].join('\n');
}
