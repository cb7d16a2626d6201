import { toPublicId } from '@switchyard/contract';
import type { Command } from 'commander';
import { type ProviderWebhook, type ServingAccount, type TokenListing, tryWebhook } from '#accounts';
import type { CliDeps, CliProduct } from '../deps.ts';
import { CommandFailed, WrongUse } from '../failures.ts';
import { type Shown, show } from '../output.ts';
import { stepsOf } from '../webhook-steps.ts';
import { accountHelp, chooseAccount } from '../which-account.ts';

export function addWebhook(program: Command, deps: CliDeps): void {
  const webhook = program
    .command('webhook')
    .description('webhooks: try one, see and set what stands at the provider')
    .addHelpText('after', '\nExamples:\n  switchyard webhook test TOKEN\n  switchyard webhook set acc_…');
  addTest(webhook, deps);
  addFind(webhook, deps);
  addSet(webhook, deps);
  addUndo(webhook, deps);
}

function addTest(webhook: Command, deps: CliDeps): void {
  webhook
    .command('test <token>')
    .description(
      'send a signed test delivery to the account of a token and say what came back; no reply goes out to anybody',
    )
    .option('--url <url>', 'scheme and host of the server, if it is not the one on this machine')
    .option('--json', 'print one JSON document')
    .addHelpText(
      'after',
      '\nExamples:\n  switchyard webhook test TOKEN\n  switchyard webhook test TOKEN --url https://hooks.example.com',
    )
    .action((token: string, options: Shown & { readonly url?: string }) => {
      if (options.url !== undefined && !/^https?:\/\//.test(options.url))
        throw new WrongUse(`--url ${options.url} is not a URL like https://host`);
      return deps.withProduct(async (product) => {
        const tried = await test(product, token, options.url);
        show(deps.output, options, tried, () => `${tried.account}: ${tried.status} in ${tried.ms} ms`);
        if (tried.status !== 200) throw new CommandFailed(`the test delivery was answered ${tried.status}`);
      });
    });
}

async function test({ config, accounts }: CliProduct, token: string, url: string | undefined) {
  const routed = await accounts.lookUp('token', token);
  if (routed.kind !== 'found') throw new CommandFailed('no account here has that token');
  const { account } = routed;
  const calledUrl = (url ?? config.localUrl).replace(/\/+$/, '');
  // The URL is part of what Twilio signs: the server checks it as PUBLIC_URL says.
  const webhookUrl = `${config.publicUrl ?? calledUrl}${pathOf(account, token)}`;
  const tried = await tryWebhook(account, { webhookUrl, calledUrl }, new Date());
  if (!tried.ok) throw new CommandFailed(`${calledUrl} does not answer: ${tried.refusal.detail}`);
  const { status, milliseconds, body } = tried.value;
  return { account: account.name, provider: account.provider, url: calledUrl, status, ms: milliseconds, body };
}

function pathOf({ provider, channel }: ServingAccount, token: string): string {
  return `/webhooks/${provider}/${channel}/${encodeURIComponent(token)}`;
}

const listingHelp = `${accountHelp}, or one of its tokens`;

function addFind(webhook: Command, deps: CliDeps): void {
  webhook
    .command('find <account>')
    .description(`ask the provider which webhook is set there now (${listingHelp})`)
    .option('--json', 'print one JSON document')
    .addHelpText('after', '\nExample: switchyard webhook find acc_… --json')
    .action((key: string, options: Shown) =>
      deps.withProduct(async (product) => {
        const listing = await loadListing(product, key);
        const seen = await product.providerWebhooks.look(listing.account.workspaceId, listing.account.id);
        if (!seen) throw new CommandFailed('that account is gone');
        await audit(product, listing, 'find-webhook');
        const shown = present(listing, seen);
        show(deps.output, options, shown, () => describe(shown));
        if (shown.failure) throw new CommandFailed(`the provider could not be asked: ${shown.failure.detail}`);
      }),
    );
}

function addSet(webhook: Command, deps: CliDeps): void {
  webhook
    .command('set <account>')
    .description(`set our webhook at the provider; what was there is kept for "undo" (${listingHelp})`)
    .option('--json', 'print one JSON document')
    .addHelpText('after', '\nExample: switchyard webhook set acc_…')
    .action((key: string, options: Shown) =>
      deps.withProduct(async (product) => {
        const listing = await loadListing(product, key);
        const outcome = await product.providerWebhooks.set(listing.account.workspaceId, listing.account.id, 'cli');
        if (!outcome.ok) throw new CommandFailed([outcome.refusal.detail, ...stepsOf(listing)].join('\n'));
        const shown = present(listing, outcome.value);
        show(deps.output, options, shown, () => describe(shown));
      }),
    );
}

function addUndo(webhook: Command, deps: CliDeps): void {
  webhook
    .command('undo <account>')
    .description(`put back at the provider what was there before "set" (${listingHelp})`)
    .option('--force', 'even if something else stands there by now')
    .option('--json', 'print one JSON document')
    .addHelpText('after', '\nExample: switchyard webhook undo acc_…')
    .action((key: string, options: Shown & { readonly force?: boolean }) =>
      deps.withProduct(async (product) => {
        const listing = await loadListing(product, key);
        const how = { isForced: options.force ?? false, actor: 'cli' };
        const outcome = await product.providerWebhooks.undo(listing.account.workspaceId, listing.account.id, how);
        if (!outcome.ok) throw new CommandFailed(outcome.refusal.detail);
        const shown = present(listing, outcome.value);
        show(deps.output, options, shown, () => describe(shown));
      }),
    );
}

/** By one of the account's tokens, or by its id, name or phone number, of whatever workspace it is. */
export async function loadListing({ accounts }: CliProduct, key: string): Promise<TokenListing> {
  const listings = await accounts.listTokens(null);
  const byToken = listings.find(({ webhookUrl }) => decodeURIComponent(webhookUrl.split('/').at(-1) ?? '') === key);
  if (byToken) return byToken;
  const known = new Map(listings.map(({ account }) => [account.id, account]));
  const { id } = chooseAccount([...known.values()], key);
  const found = listings.find(({ account }) => account.id === id);
  if (!found) throw new CommandFailed('no account here has that id or token; "switchyard tokens" lists them');
  return found;
}

function audit(product: CliProduct, { account }: TokenListing, action: string): Promise<void> {
  const resource = `account ${toPublicId('account', account.id)}`;
  return product.storage.inWorkspace(account.workspaceId, (tx) =>
    product.workspaces.audit(tx, { actor: 'cli', action, resource }),
  );
}

function present(listing: TokenListing, { wantedUrl, sets, found, match, undoable }: ProviderWebhook) {
  const { account } = listing;
  return {
    account: account.name,
    accountId: toPublicId('account', account.id),
    provider: account.provider,
    wantedUrl,
    sets,
    url: found?.ok ? found.value.url : null,
    isEnabled: found?.ok ? found.value.isEnabled : null,
    level: found?.ok ? found.value.level : null,
    events: found?.ok ? found.value.events : null,
    match,
    failure: found && !found.ok ? { code: found.refusal.code, detail: found.refusal.detail } : null,
    undo: undoable && { setAt: undoable.setAt.toISOString() },
    steps: stepsOf(listing),
  };
}

const words = {
  current: 'ours, with the token in use',
  replaced: 'ours, with a token that was replaced: set it anew',
  other: 'not ours',
  none: 'none',
  'not-told': 'the provider does not tell',
} as const satisfies Record<ProviderWebhook['match'], string>;

function describe(shown: ReturnType<typeof present>): string {
  const state = shown.isEnabled === false && shown.url ? ' (switched off)' : '';
  return [
    `${shown.account} (${shown.accountId})`,
    `ours      ${shown.wantedUrl}`,
    `is set    ${shown.url ?? '–'}${state}: ${words[shown.match]}`,
    ...(shown.events ? [`events    ${shown.events.join(', ') || '–'}`] : []),
    ...(shown.undo ? [`undo      back to what was found on ${shown.undo.setAt}`] : []),
    ...(shown.match === 'current' ? [] : ['', 'By hand:', ...shown.steps.map((step, at) => `  ${at + 1}. ${step}`)]),
  ].join('\n');
}
