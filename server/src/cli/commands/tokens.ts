import { toPublicId } from '@switchyard/contract';
import type { Command } from 'commander';
import type { ProviderWebhook, TokenListing } from '#accounts';
import { acting } from '../acting.ts';
import { type CliDeps, type CliProduct, loadWorkspace } from '../deps.ts';
import { CommandFailed } from '../failures.ts';
import { printable, type Shown, show } from '../output.ts';
import { loadListing } from './webhook.ts';

interface Options extends Shown {
  readonly workspace?: string;
  /** false by `--no-find`. */
  readonly find: boolean;
}

/** Providers asked at once; each has the limits of `ProviderWebhooks.look`. */
const askedAtOnce = 8;

export function addTokens(program: Command, deps: CliDeps): void {
  const tokens = program
    .command('tokens')
    .description('webhook tokens with their URLs, their last use, and what is set at the provider; they are secrets')
    .option('--workspace <id or slug>', 'only this workspace’s')
    .option('--no-find', 'do not ask the providers which URL is set there')
    .option('--json', 'print one JSON document')
    .addHelpText(
      'after',
      '\nExamples:\n  switchyard tokens\n  switchyard tokens --workspace demo --json\n  switchyard tokens rotate acc_…',
    )
    .action((options: Options) =>
      deps.withProduct(async (product) => {
        const workspace = options.workspace === undefined ? null : await loadWorkspace(product, options.workspace);
        const listed = await product.accounts.listTokens(workspace?.id ?? null);
        const seen = options.find ? await lookAll(product, listed) : new Map<string, ProviderWebhook | null>();
        const shown = listed.map((token) => present(token, seen.get(token.account.id) ?? null));
        show(deps.output, options, { tokens: shown }, () =>
          shown.length === 0 ? 'No tokens: no account yet.' : shown.map(draw).join('\n\n'),
        );
      }),
    );
  addRotate(tokens, deps);
  addRetire(tokens, deps);
  addUndo(tokens, deps);
}

/** Each account once, however many tokens it has. */
async function lookAll(
  { providerWebhooks }: CliProduct,
  tokens: readonly TokenListing[],
): Promise<ReadonlyMap<string, ProviderWebhook | null>> {
  const waiting = [...new Map(tokens.map(({ account }) => [account.id, account])).values()];
  const seen = new Map<string, ProviderWebhook | null>();
  const worker = async () => {
    for (let account = waiting.shift(); account; account = waiting.shift())
      seen.set(account.id, await providerWebhooks.look(account.workspaceId, account.id));
  };
  await Promise.all(Array.from({ length: askedAtOnce }, worker));
  return seen;
}

function present(token: TokenListing, seen: ProviderWebhook | null) {
  const { account } = token;
  return {
    name: account.name,
    workspace: token.workspaceName,
    accountId: toPublicId('account', account.id),
    provider: account.provider,
    instance: account.settings.instance ?? account.settings.session ?? null,
    status: account.connectionStatus,
    enabled: account.isActive,
    phone: account.phoneNumber,
    tokenId: token.tokenId,
    token: decodeURIComponent(token.webhookUrl.split('/').at(-1) ?? ''),
    url: token.webhookUrl,
    createdAt: token.createdAt.toISOString(),
    retiresAt: token.retiresAt?.toISOString() ?? null,
    /** Of the token's URL. */
    lastUsedAt: token.lastUsedAt?.toISOString() ?? null,
    oldUrlLastUsedAt: token.oldUrlHitAt?.toISOString() ?? null,
    isQuiet: token.isQuiet,
    providerUrl: seen?.found?.ok ? seen.found.value.url : null,
    providerUrlIs: seen?.match ?? null,
    providerFailure: seen?.found && !seen.found.ok ? seen.found.refusal.detail : null,
  };
}

type Presented = ReturnType<typeof present>;

function draw(token: Presented): string {
  const rows: readonly (readonly [string, string])[] = [
    ['Workspace', token.workspace],
    ['Instance', token.instance ?? '–'],
    ['Status', `${token.status}, ${token.enabled ? 'enabled' : 'not enabled'}`],
    ['Phone', token.phone ?? '–'],
    ['Token', token.token],
    ['URL', token.url],
    ['Last hit', `here ${token.lastUsedAt ?? 'never'}; at the old URL ${token.oldUrlLastUsedAt ?? 'never'}`],
    ['Provider', providerWords(token)],
    ...(token.retiresAt ? [['Ends', endWords(token)] as const] : []),
  ];
  const lines = rows.map(([name, value]) => `  ${name.padEnd(11)}${printable(value)}`);
  return [`${printable(token.name)} (${token.accountId}, ${token.provider})`, ...lines].join('\n');
}

function providerWords({ providerUrl, providerUrlIs, providerFailure }: Presented): string {
  if (providerFailure !== null) return `not known: ${providerFailure}`;
  switch (providerUrlIs) {
    case null:
      return 'not asked';
    case 'not-told':
      return 'it does not tell';
    case 'none':
      return 'none is set';
    case 'current':
      return `${providerUrl} (ours)`;
    case 'replaced':
      return `${providerUrl} (ours, by a token that was replaced)`;
    case 'other':
      return `${providerUrl} (not ours)`;
  }
}

function endWords({ retiresAt, isQuiet, tokenId }: Presented): string {
  const advice = isQuiet ? `; unused for three days: switchyard tokens retire ${tokenId}` : '';
  return `${retiresAt}, it was replaced${advice}`;
}

function addRotate(tokens: Command, deps: CliDeps): void {
  tokens
    .command('rotate <account>')
    .description('make a new token; the old one works for 8 more days (acc_… or one of its tokens)')
    .option('--json', 'print one JSON document')
    .addHelpText('after', '\nExample: switchyard tokens rotate acc_…')
    .action((key: string, options: Shown) =>
      deps.withProduct(async (product) => {
        const listing = await loadListing(product, key);
        const rotated = await acting(product, 'rotate-token').rotateToken(
          listing.account.workspaceId,
          listing.account.id,
        );
        if (!rotated.ok) throw new CommandFailed(rotated.refusal.detail);
        const { token, webhookUrl } = rotated.value;
        const next = `Set it at the provider: switchyard webhook set ${toPublicId('account', listing.account.id)}`;
        show(deps.output, options, { token, webhookUrl }, () => `Webhook: ${webhookUrl}\n${next}`);
      }),
    );
}

function addRetire(tokens: Command, deps: CliDeps): void {
  tokens
    .command('retire <token>')
    .description('end a replaced token now (the token, or its id)')
    .option('--json', 'print one JSON document')
    .addHelpText('after', '\nExample: switchyard tokens retire TOKEN')
    .action((key: string, options: Shown) =>
      deps.withProduct(async (product) => {
        const all = await product.accounts.listTokens(null);
        const listing = all.find(({ tokenId }) => tokenId === key) ?? (await loadListing(product, key));
        const { account, tokenId } = listing;
        const retired = await acting(product, 'retire-token').retireToken(account.workspaceId, account.id, tokenId);
        if (!retired.ok) throw new CommandFailed(retired.refusal.detail);
        show(deps.output, options, { retired: tokenId }, () => `The token has ended. Undo: switchyard tokens undo …`);
      }),
    );
}

function addUndo(tokens: Command, deps: CliDeps): void {
  tokens
    .command('undo <account>')
    .description('make the token before the last rotation the one in use again (acc_… or one of its tokens)')
    .option('--json', 'print one JSON document')
    .addHelpText('after', '\nExample: switchyard tokens undo acc_…')
    .action((key: string, options: Shown) =>
      deps.withProduct(async (product) => {
        const listing = await loadListing(product, key);
        const undone = await acting(product, 'undo-rotation').undoRotation(
          listing.account.workspaceId,
          listing.account.id,
        );
        if (!undone.ok) throw new CommandFailed(undone.refusal.detail);
        const { token, webhookUrl } = undone.value;
        show(deps.output, options, { token, webhookUrl }, () => `In use again: ${webhookUrl}`);
      }),
    );
}
