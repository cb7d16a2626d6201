/** `account …` beyond connecting and listing: its life, its health, its figures. */
import { type Failure, toPublicId } from '@switchyard/contract';
import type { Command } from 'commander';
import type { AccountSummary, ConnectionAct, Health } from '#accounts';
import type { Result } from '#kernel';
import { type AccountStatistics, loadHealth, loadStatistics, usualRangeMs } from '#monitoring';
import type { Workspace } from '#workspaces';
import { acting } from '../acting.ts';
import { mustConfirm } from '../confirm.ts';
import { type CliDeps, type CliProduct, loadWorkspace } from '../deps.ts';
import { CommandFailed, WrongUse } from '../failures.ts';
import { type Shown, show, table } from '../output.ts';
import { accountHelp, chooseAccount } from '../which-account.ts';
import { collect, pairs } from './account-fields.ts';
import { listRemoved, presentForCommand } from './account-shown.ts';

interface Options extends Shown {
  readonly workspace: string;
}

interface Chosen {
  readonly product: CliProduct;
  readonly workspace: Workspace;
  readonly account: AccountSummary;
}

export function addAccountActs(account: Command, deps: CliDeps): void {
  addMoves(account, deps);
  addPrimary(account, deps);
  addSet(account, deps);
  addRemoval(account, deps);
  addHealth(account, deps);
  addStatistics(account, deps);
}

const moves = {
  reconnect: { act: 'connect', about: 'connect an account again' },
  disconnect: { act: 'disconnect', about: 'disconnect an account' },
} as const satisfies Record<string, { readonly act: ConnectionAct; readonly about: string }>;

function addMoves(account: Command, deps: CliDeps): void {
  for (const [name, { act, about }] of Object.entries(moves)) {
    ofOne(account, name, about)
      .option('--reason <text>', 'kept in the history')
      .action((id: string, options: Options & { reason?: string }) =>
        withAccount(deps, id, options, async ({ product, workspace, account: { id: accountId } }) => {
          const wish = { act, actor: 'cli', ...(options.reason === undefined ? {} : { reason: options.reason }) };
          const moved = taken(await acting(product, name).moveConnection(workspace.id, accountId, wish));
          await product.pairing.follow(workspace.id, accountId, act, 'cli');
          const now = (await product.accounts.find(workspace.id, accountId)) ?? moved;
          showAccount(deps, options, now, `${now.name} is ${now.connectionStatus} now.`);
        }),
      );
  }
}

function addPrimary(account: Command, deps: CliDeps): void {
  ofOne(account, 'set-primary', 'make an account the primary one of its channel').action(
    (id: string, options: Options) =>
      withAccount(deps, id, options, async ({ product, workspace, account: { id: accountId } }) => {
        const primary = taken(await acting(product, 'set-primary').setPrimary(workspace.id, accountId));
        showAccount(deps, options, primary, `${primary.name} is the primary account of ${primary.channel} now.`);
      }),
  );
}

interface SetOptions extends Options {
  readonly name?: string;
  readonly phone?: string;
  readonly setting: readonly string[];
  readonly secret: readonly string[];
  readonly active?: boolean;
}

function addSet(account: Command, deps: CliDeps): void {
  ofOne(account, 'set', 'change an account: its name, number, settings (the send gate’s too), credentials')
    .option('--name <name>', 'shown to people')
    .option('--phone <number>', 'E.164; an empty text takes it away')
    .option('--setting <name=value>', 'merged by name, an empty value takes one away; may be repeated', collect, [])
    .option('--secret <name=value>', 'the same for secrets', collect, [])
    .option('--active', 'serve it')
    .option('--no-active', 'serve it no more')
    .addHelpText(
      'after',
      '\n  switchyard account set "Front desk" --workspace demo --secret authToken=… --setting quietHours=22:00-07:00',
    )
    .action((id: string, options: SetOptions) => {
      const { name, phone, setting, secret, active } = options;
      const change = {
        ...(name === undefined ? {} : { name }),
        ...(phone === undefined ? {} : { phoneNumber: phone }),
        ...(setting.length === 0 ? {} : { settings: pairs(setting) }),
        ...(secret.length === 0 ? {} : { secrets: pairs(secret) }),
        ...(active === undefined ? {} : { isActive: active }),
      };
      if (Object.keys(change).length === 0)
        throw new WrongUse('give --name, --phone, --setting, --secret, --active or --no-active');
      return withAccount(deps, id, options, async ({ product, workspace, account: { id: accountId } }) => {
        const fields = { changed: Object.keys(change), secrets: Object.keys(change.secrets ?? {}) };
        const changed = taken(await acting(product, 'update', fields).update(workspace.id, accountId, change));
        showAccount(deps, options, changed, `Changed ${changed.name}.`);
      });
    });
}

function addRemoval(account: Command, deps: CliDeps): void {
  ofOne(account, 'remove', 'remove an account; it can be restored')
    .option('--yes', 'do not ask')
    .action((id: string, options: Options & { yes?: boolean }) =>
      withAccount(deps, id, options, async ({ product, workspace, account: found }) => {
        const question = `Remove ${found.name}? Its webhooks will be refused from now on.`;
        await mustConfirm(deps.confirm, options.yes ?? false, question);
        taken(await acting(product, 'remove').remove(workspace.id, found.id));
        const restore = `switchyard account restore ${toPublicId('account', found.id)} --workspace ${workspace.slug}`;
        showAccount(deps, options, found, `Removed ${found.name}. Restore it: ${restore}`);
      }),
    );
  ofOne(account, 'restore', 'bring a removed account back; prints its new webhook URL').action(
    (id: string, options: Options) =>
      withRemoved(deps, id, options, async ({ product, workspace, account: { id: accountId } }) => {
        const restored = taken(await acting(product, 'restore').restore(workspace.id, accountId));
        const { account: back, token, webhookUrl } = restored;
        const document = { account: presentForCommand(back), token, webhookUrl };
        show(deps.output, options, document, () => `${back.name} is back, disconnected.\nWebhook: ${webhookUrl}`);
      }),
  );
}

function addHealth(account: Command, deps: CliDeps): void {
  ofOne(account, 'health', 'how well an account is, why, and what to do').action((id: string, options: Options) =>
    withAccount(deps, id, options, async (chosen) => {
      const found = chosen.account;
      const { storage } = chosen.product;
      const now = new Date();
      const health = await storage.inWorkspace(chosen.workspace.id, (tx) => loadHealth(tx, [found], now));
      const one = health.get(found.id);
      if (!one) throw new CommandFailed('There is no such account.');
      show(deps.output, options, { account: toPublicId('account', found.id), ...one }, () => drawHealth(found, one));
    }),
  );
}

function drawHealth({ name }: AccountSummary, { score, isHealthy, signals }: Health): string {
  const rows = signals.map(({ level, points, detail, nextStep }) => [
    level,
    points === 0 ? '' : -points,
    detail,
    nextStep,
  ]);
  return `${name}: ${score} of 100, ${isHealthy ? 'healthy' : 'not healthy'}\n\n${table(['', 'score', 'what', 'next step'], rows)}`;
}

function addStatistics(account: Command, deps: CliDeps): void {
  ofOne(account, 'statistics', 'what went through an account: the last day by the hour, or 30 days by the day')
    .option('--by <unit>', 'hour or day', 'hour')
    .action((id: string, options: Options & { by: string }) =>
      withAccount(deps, id, options, async (chosen) => {
        const { by } = options;
        if (by !== 'hour' && by !== 'day') throw new WrongUse(`--by ${by} is neither hour nor day`);
        const found = chosen.account;
        const to = new Date();
        const range = {
          by,
          to,
          from: new Date(to.getTime() - usualRangeMs[by]),
          timeZone: chosen.workspace.timeZone,
        } as const;
        const { storage } = chosen.product;
        const statistics = await storage.inWorkspace(chosen.workspace.id, (tx) => loadStatistics(tx, found.id, range));
        show(deps.output, options, { account: toPublicId('account', found.id), ...statistics }, () =>
          drawStatistics(statistics),
        );
      }),
    );
}

const percent = (share: number | null) => (share === null ? '–' : `${Math.round(100 * share)} %`);

function drawStatistics({ buckets, rates, errors, conversations }: AccountStatistics): string {
  const rows = buckets.map(({ at, received, sent, delivered, read, failed, webhooks }) => [
    at.toISOString().slice(0, 16).replace('T', ' '),
    ...[received, sent, delivered, read, failed, webhooks],
  ]);
  const told = [
    `delivered ${percent(rates.delivery)}, read ${percent(rates.read)}`,
    `conversations ${conversations.active}, new ${conversations.begun}`,
    ...errors.map(({ code, count, detail }) => `error ${code} ×${count}${detail ? `: ${detail}` : ''}`),
  ];
  const head = ['from (UTC)', 'in', 'sent', 'delivered', 'read', 'failed', 'webhooks'];
  return `${table(head, rows)}\n\n${told.join('\n')}`;
}

function ofOne(account: Command, name: string, about: string): Command {
  return account
    .command(`${name} <account>`)
    .description(about)
    .requiredOption('--workspace <id or slug>', 'whose account')
    .option('--json', 'print one JSON document')
    .addHelpText('after', helpOf(name));
}

function helpOf(name: string): string {
  const examples = ['acc_0198…', '"Front desk"', '+34600111222'].map(
    (account) => `  switchyard account ${name} ${account} --workspace demo`,
  );
  return `\nThe account is ${accountHelp}.\n\nExamples:\n${examples.join('\n')}`;
}

type Work = (chosen: Chosen) => Promise<void>;

function withAccount(deps: CliDeps, text: string, options: Options, work: Work): Promise<void> {
  return deps.withProduct(async (product) => {
    const workspace = await loadWorkspace(product, options.workspace);
    await work({ product, workspace, account: chooseAccount(await product.accounts.list(workspace.id), text) });
  });
}

function withRemoved(deps: CliDeps, text: string, options: Options, work: Work): Promise<void> {
  return deps.withProduct(async (product) => {
    const workspace = await loadWorkspace(product, options.workspace);
    const removed = await listRemoved(product, workspace.id);
    await work({ product, workspace, account: chooseAccount(removed, text) });
  });
}

function taken<Value>(result: Result<Value, Failure>): Value {
  if (!result.ok) throw new CommandFailed(result.refusal.detail);
  return result.value;
}

function showAccount(deps: CliDeps, options: Options, account: AccountSummary, words: string): void {
  show(deps.output, options, { account: presentForCommand(account) }, () => words);
}
