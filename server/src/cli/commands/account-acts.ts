/** `account …` beyond connecting and listing: its life, its health, its figures. */
import { type AccountId, type Failure, parseId, toPublicId } from '@switchyard/contract';
import type { Command } from 'commander';
import type { AccountSummary, ConnectionAct, Health } from '#accounts';
import type { Result } from '#kernel';
import { type AccountStatistics, loadHealth, loadStatistics, usualRangeMs } from '#monitoring';
import type { Workspace } from '#workspaces';
import { mustConfirm } from '../confirm.ts';
import { type CliDeps, type CliProduct, loadWorkspace } from '../deps.ts';
import { CommandFailed, WrongUse } from '../failures.ts';
import { type Shown, show, table } from '../output.ts';
import { presentForCommand } from './account-shown.ts';

interface Options extends Shown {
  readonly workspace: string;
}

interface Chosen {
  readonly product: CliProduct;
  readonly workspace: Workspace;
  readonly id: AccountId;
}

export function addAccountActs(account: Command, deps: CliDeps): void {
  addMoves(account, deps);
  addPrimary(account, deps);
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
        withAccount(deps, id, options, async ({ product, workspace, id: accountId }) => {
          const wish = { act, actor: 'cli', ...(options.reason === undefined ? {} : { reason: options.reason }) };
          const moved = taken(await product.accounts.moveConnection(workspace.id, accountId, wish));
          await audit(product, workspace, accountId, name);
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
      withAccount(deps, id, options, async ({ product, workspace, id: accountId }) => {
        const primary = taken(await product.accounts.setPrimary(workspace.id, accountId));
        await audit(product, workspace, accountId, 'set-primary');
        showAccount(deps, options, primary, `${primary.name} is the primary account of ${primary.channel} now.`);
      }),
  );
}

function addRemoval(account: Command, deps: CliDeps): void {
  ofOne(account, 'remove', 'remove an account; it can be restored')
    .option('--yes', 'do not ask')
    .action((id: string, options: Options & { yes?: boolean }) =>
      withAccount(deps, id, options, async ({ product, workspace, id: accountId }) => {
        const found = await product.accounts.find(workspace.id, accountId);
        if (!found) throw new CommandFailed('There is no such account.');
        const question = `Remove ${found.name}? Its webhooks will be refused from now on.`;
        await mustConfirm(deps.confirm, options.yes ?? false, question);
        taken(await product.accounts.remove(workspace.id, accountId));
        await audit(product, workspace, accountId, 'remove');
        showAccount(deps, options, found, `Removed ${found.name}. Restore it: switchyard account restore ${id}`);
      }),
    );
  ofOne(account, 'restore', 'bring a removed account back; prints its new webhook URL').action(
    (id: string, options: Options) =>
      withAccount(deps, id, options, async ({ product, workspace, id: accountId }) => {
        const { account: back, token, webhookUrl } = taken(await product.accounts.restore(workspace.id, accountId));
        await audit(product, workspace, accountId, 'restore');
        const document = { account: presentForCommand(back), token, webhookUrl };
        show(deps.output, options, document, () => `${back.name} is back, disconnected.\nWebhook: ${webhookUrl}`);
      }),
  );
}

function addHealth(account: Command, deps: CliDeps): void {
  ofOne(account, 'health', 'how well an account is, why, and what to do').action((id: string, options: Options) =>
    withAccount(deps, id, options, async (chosen) => {
      const found = await accountOf(chosen);
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
        const found = await accountOf(chosen);
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
    .addHelpText('after', `\nExample: switchyard account ${name} acc_0198… --workspace demo`);
}

function withAccount(
  deps: CliDeps,
  text: string,
  options: Options,
  work: (chosen: Chosen) => Promise<void>,
): Promise<void> {
  const id = parseId('account', text);
  if (!id) throw new WrongUse(`${text} is not the id of an account, like acc_0198…`);
  return deps.withProduct(async (product) =>
    work({ product, workspace: await loadWorkspace(product, options.workspace), id }),
  );
}

async function accountOf({ product, workspace, id }: Chosen): Promise<AccountSummary> {
  const found = await product.accounts.find(workspace.id, id);
  if (!found) throw new CommandFailed('There is no such account.');
  return found;
}

function taken<Value>(result: Result<Value, Failure>): Value {
  if (!result.ok) throw new CommandFailed(result.refusal.detail);
  return result.value;
}

function audit(product: CliProduct, workspace: Workspace, id: AccountId, action: string): Promise<void> {
  const entry = { actor: 'cli', action, resource: `account ${toPublicId('account', id)}` };
  return product.storage.inWorkspace(workspace.id, (tx) => product.workspaces.audit(tx, entry));
}

function showAccount(deps: CliDeps, options: Options, account: AccountSummary, words: string): void {
  show(deps.output, options, { account: presentForCommand(account) }, () => words);
}
