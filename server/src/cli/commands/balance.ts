import { type AccountId, toPublicId } from '@switchyard/contract';
import type { Command } from 'commander';
import { type Balance, type CounterName, type LedgerSpan, ledgerLimits, shownCounts } from '#inbox';
import type { Workspace } from '#workspaces';
import { type CliDeps, type CliProduct, loadWorkspace } from '../deps.ts';
import { CommandFailed, WrongUse } from '../failures.ts';
import { type Shown, show, table } from '../output.ts';
import { accountHelp, chooseAccount } from '../which-account.ts';

interface Options extends Shown {
  readonly workspace?: string;
  readonly account?: string;
  readonly from?: string;
  readonly to?: string;
}

const dayMs = 24 * 3_600_000;
/** A day, with or without a time of it; without an offset it is UTC. */
const momentShape = /^\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d{1,3})?)?(?:Z|[+-]\d\d:\d\d)?)?$/;
const columns = [
  'received',
  'normalised',
  'events',
  'handled',
  'answered',
  'forwarded',
  'parked',
  'dead',
] as const satisfies CounterName[];

/** Hangs on `deliveries`. */
export function addBalance(deliveries: Command, deps: CliDeps): void {
  deliveries
    .command('balance')
    .description('what came hour by hour, how far it has come, and every gap by name; exit status 1 when there is one')
    .option('--workspace <id or slug>', 'one workspace; else all')
    .option('--account <account>', `only this account’s: ${accountHelp}`)
    .option('--from <moment>', 'such as 2026-11-21 or 2026-11-21T08:00Z; a day before the end')
    .option('--to <moment>', 'now')
    .option('--json', 'print one JSON document')
    .addHelpText('after', '\nExample: switchyard deliveries balance --from 2026-11-20 --to 2026-11-21')
    .action((options: Options) => {
      const span = parseSpan(options, new Date());
      return deps.withProduct(async (product) => {
        const { workspaces, accountId } = await chosen(product, options);
        const balances: { workspace: Workspace; balance: Balance }[] = [];
        for (const workspace of workspaces) {
          const ask = { workspaceId: workspace.id, accountId, span };
          balances.push({ workspace, balance: await product.monitoring.ledger.balance(ask) });
        }
        const gapCount = balances.reduce((sum, { balance }) => sum + balance.gapCount, 0);
        const document = { isBalanced: gapCount === 0, gapCount, workspaces: balances.map(present) };
        show(deps.output, options, document, () => balances.map(draw).join('\n\n'));
        if (gapCount > 0) throw new CommandFailed(`${gapCount} gap(s)`);
      });
    });
}

function parseSpan({ from, to }: Options, now: Date): LedgerSpan {
  const end = to === undefined ? now : parseMoment('--to', to);
  const start = from === undefined ? new Date(end.getTime() - dayMs) : parseMoment('--from', from);
  if (start >= end) throw new WrongUse(`--from ${start.toISOString()} is not before --to ${end.toISOString()}`);
  if (end.getTime() - start.getTime() > ledgerLimits.longestSpanMs)
    throw new WrongUse('from --from to --to are more than 31 days');
  return { from: start, to: end };
}

function parseMoment(option: string, text: string): Date {
  const moment = new Date(/[T ]\d\d:\d\d(?:[\d:.]*)$/.test(text) ? `${text}Z` : text);
  const day = new Date(text.slice(0, 10));
  // A day that its month has not is the next month's to JavaScript.
  const isDay = !Number.isNaN(day.getTime()) && day.toISOString().startsWith(text.slice(0, 10));
  if (!momentShape.test(text) || !isDay || Number.isNaN(moment.getTime()))
    throw new WrongUse(`${option} ${text} is not a moment like 2026-11-21 or 2026-11-21T08:00Z`);
  return moment;
}

interface Chosen {
  readonly workspaces: readonly Workspace[];
  readonly accountId?: AccountId;
}

async function chosen(product: CliProduct, { workspace: named, account }: Options): Promise<Chosen> {
  const workspaces = named === undefined ? await product.workspaces.list() : [await loadWorkspace(product, named)];
  if (account === undefined) return { workspaces };
  const lists = await Promise.all(workspaces.map(({ id }) => product.accounts.list(id)));
  const meant = chooseAccount(lists.flat(), account);
  return { workspaces: workspaces.filter(({ id }) => id === meant.workspaceId), accountId: meant.id };
}

function present({ workspace, balance }: { workspace: Workspace; balance: Balance }) {
  const now = balance.countedAt.getTime();
  return {
    workspace: { id: toPublicId('workspace', workspace.id), slug: workspace.slug },
    from: balance.from.toISOString(),
    to: balance.to.toISOString(),
    isBalanced: balance.isBalanced,
    gapCount: balance.gapCount,
    unpacked: balance.unpacked,
    totals: shownCounts(balance.totals, balance),
    hours: balance.hours.map(({ accountId, hour, counts }) => ({
      accountId: accountId && toPublicId('account', accountId),
      hour: hour.toISOString(),
      ...shownCounts(counts, balance),
    })),
    gaps: balance.gaps.map((gap) => ({
      stage: gap.stage,
      accountId: gap.accountId && toPublicId('account', gap.accountId),
      deliveryId: gap.deliveryId && toPublicId('delivery', gap.deliveryId),
      eventId: gap.eventId && toPublicId('event', gap.eventId),
      outboundId: gap.outboundId && toPublicId('outbound', gap.outboundId),
      since: gap.since.toISOString(),
      ageSeconds: Math.round((now - gap.since.getTime()) / 1_000),
      detail: gap.detail,
    })),
  };
}

function draw(one: { workspace: Workspace; balance: Balance }): string {
  const { workspace, balance } = one;
  const span = `${balance.from.toISOString()} – ${balance.to.toISOString()}`;
  const hours = table(
    ['hour', 'account', ...columns],
    balance.hours.map(({ hour, accountId, counts }) => [
      hour.toISOString().slice(0, 16),
      accountId ? toPublicId('account', accountId) : 'shared routes',
      ...columns.map((name) => shownCounts(counts, balance)[name]),
    ]),
  );
  const gaps = table(
    ['stage', 'delivery', 'for', 'detail'],
    present(one).gaps.map((gap) => [gap.stage, gap.deliveryId ?? gap.outboundId, `${gap.ageSeconds} s`, gap.detail]),
  );
  const parts = [`${workspace.slug}  ${span}  ${balance.isBalanced ? 'balanced' : `${balance.gapCount} gap(s)`}`];
  if (balance.hours.length > 0) parts.push(hours);
  if (balance.gaps.length > 0) parts.push(gaps);
  return parts.join('\n\n');
}
