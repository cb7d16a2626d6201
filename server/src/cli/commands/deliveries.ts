import { type AccountId, type DeliveryId, parseId, toPublicId, type WorkspaceId } from '@switchyard/contract';
import { type Command, InvalidArgumentError } from 'commander';
import {
  type DeliveryRow,
  type DeliveryTrace,
  hopsOf,
  inboxTopic,
  listDeliveries,
  replayDelivery,
  traceDelivery,
  unpackArrivals,
} from '#inbox';
import { type CliDeps, type CliProduct, loadWorkspace } from '../deps.ts';
import { CommandFailed, WrongUse } from '../failures.ts';
import { printable, type Shown, show, table } from '../output.ts';
import { accountHelp, chooseAccount } from '../which-account.ts';
import { addBalance } from './balance.ts';

const states = ['stored', 'normalised', 'dead'] as const;
const maxListed = 1_000;
const maxBodyShown = 64 * 1024;

interface WorkspaceOption extends Shown {
  readonly workspace: string;
}

interface ListOptions extends WorkspaceOption {
  readonly state?: (typeof states)[number];
  readonly account?: string;
  readonly limit: number;
}

export function addDeliveries(program: Command, deps: CliDeps): void {
  const deliveries = program
    .command('deliveries')
    .description('what providers delivered, and what became of it')
    .addHelpText('after', '\nExample: switchyard deliveries list --workspace demo');
  addList(deliveries, deps);
  addShow(deliveries, deps);
  addReplay(deliveries, deps);
  addBalance(deliveries, deps);
}

function addList(deliveries: Command, deps: CliDeps): void {
  deliveries
    .command('list')
    .description('the latest deliveries, newest first')
    .requiredOption('--workspace <id or slug>', 'whose deliveries')
    .option('--state <state>', states.join(', '), parseState)
    .option('--account <account>', `only this account’s: ${accountHelp}`)
    .option('--limit <n>', `how many, at most ${maxListed}`, parseLimit, 20)
    .option('--json', 'print one JSON document')
    .addHelpText('after', '\nExample: switchyard deliveries list --workspace demo --state dead --json')
    .action((options: ListOptions) => {
      return deps.withProduct(async (product) => {
        const workspace = await loadWorkspace(product, options.workspace);
        const accountId = await accountOf(product, workspace.id, options.account);
        await unpackArrivals(product);
        const rows = await product.storage.inWorkspace(workspace.id, (tx) =>
          listDeliveries(tx, { accountId, state: options.state, limit: options.limit }),
        );
        const shown = rows.map(present);
        show(deps.output, options, { deliveries: shown }, () => (shown.length === 0 ? 'No deliveries.' : draw(shown)));
      });
    });
}

function addShow(deliveries: Command, deps: CliDeps): void {
  deliveries
    .command('show <id>')
    .description('one delivery with every hop of its way: read, handled, answered, received')
    .requiredOption('--workspace <id or slug>', 'whose delivery')
    .option('--json', 'print one JSON document')
    .addHelpText('after', '\nExample: switchyard deliveries show dlv_0198… --workspace demo')
    .action((text: string, options: WorkspaceOption) => {
      const id = parseDeliveryId(text);
      return deps.withProduct(async (product) => {
        const workspace = await loadWorkspace(product, options.workspace);
        const trace = await product.storage.inWorkspace(workspace.id, (tx) => traceDelivery(tx, id));
        if (!trace) throw new CommandFailed(`${workspace.name} has no delivery ${text}`);
        show(deps.output, options, { delivery: presentTrace(trace) }, () => drawTrace(trace));
      });
    });
}

function addReplay(deliveries: Command, deps: CliDeps): void {
  deliveries
    .command('replay <id...>')
    .description('handle deliveries once more; what already took effect stays single')
    .requiredOption('--workspace <id or slug>', 'whose deliveries')
    .option('--json', 'print one JSON document')
    .addHelpText('after', '\nExample: switchyard deliveries replay dlv_0198… --workspace demo')
    .action((texts: string[], options: WorkspaceOption) => {
      const ids = texts.map(parseDeliveryId);
      return deps.withProduct(async (product) => {
        const workspace = await loadWorkspace(product, options.workspace);
        const replayed: { readonly id: string; readonly revived: number }[] = [];
        const missing: string[] = [];
        for (const id of ids) {
          const result = await replayDelivery(product.storage, workspace.id, id);
          if (result.isEmptied)
            throw new CommandFailed(
              `${toPublicId('delivery', id)} has no body any more: retention or an erasure took it`,
            );
          if (result.isFound) replayed.push({ id: toPublicId('delivery', id), revived: result.revived });
          else missing.push(toPublicId('delivery', id));
        }
        if (replayed.length > 0) await product.engines.doorbell.ring(inboxTopic);
        if (replayed.length > 0 || missing.length === 0)
          show(deps.output, options, { replayed, missing }, () =>
            replayed
              .map(({ id, revived }) => `Replaying ${id}${revived > 0 ? `, ${revived} dead event(s) with it` : ''}.`)
              .join('\n'),
          );
        if (missing.length > 0) throw new CommandFailed(`${workspace.name} has no delivery ${missing.join(', ')}`);
      });
    });
}

function present(row: DeliveryRow) {
  return {
    id: toPublicId('delivery', row.id),
    receivedAt: row.receivedAt.toISOString(),
    provider: row.provider,
    accountId: row.accountId ? toPublicId('account', row.accountId) : null,
    account: row.accountName,
    state: row.state,
    events: row.eventCount,
    duplicates: row.duplicateCount,
    deadLetters: row.deadCount,
    sender: row.sender,
    summary: row.summary,
    error: row.error,
    status: row.status,
    processedMs: row.processedAt ? row.processedAt.getTime() - row.receivedAt.getTime() : null,
    messageId: row.messageId,
  };
}

function draw(shown: readonly ReturnType<typeof present>[]): string {
  return table(
    ['id', 'received', 'provider', 'account', 'status', 'ms', 'what', 'sender', 'message', 'error'],
    shown.map((row) => [
      row.id,
      row.receivedAt,
      row.provider,
      row.account,
      row.status,
      row.processedMs,
      row.summary,
      row.sender,
      row.messageId,
      row.error,
    ]),
  );
}

function presentTrace(trace: DeliveryTrace) {
  return {
    ...present(trace),
    method: trace.method,
    target: trace.target,
    routeKind: trace.routeKind,
    isAuthenticated: trace.isAuthenticated,
    isTest: trace.isTest,
    headers: trace.headers,
    body: trace.body.subarray(0, maxBodyShown).toString('utf8'),
    isBodyCut: trace.body.length > maxBodyShown,
    hops: hopsOf(trace),
  };
}

function drawTrace(trace: DeliveryTrace): string {
  const row = present(trace);
  const hops = table(
    ['after', 'hop', 'what', 'detail'],
    hopsOf(trace).map((hop) => [`${hop.ms} ms`, hop.isProblem ? `! ${hop.kind}` : hop.kind, hop.title, hop.detail]),
  );
  const account = row.account ? ` to ${printable(row.account)}` : '';
  return `${row.id}  ${row.provider}${account}  ${row.receivedAt}  ${row.state}\n\n${hops}`;
}

/** An id is taken as it is: deliveries of an account that is gone are still listed. */
async function accountOf(
  product: CliProduct,
  workspaceId: WorkspaceId,
  text: string | undefined,
): Promise<AccountId | undefined> {
  if (text === undefined) return undefined;
  return parseId('account', text) ?? chooseAccount(await product.accounts.list(workspaceId), text).id;
}

function parseDeliveryId(text: string): DeliveryId {
  const id = parseId('delivery', text);
  if (!id) throw new WrongUse(`${text} is not a delivery id`);
  return id;
}

function parseState(text: string): string {
  if (!states.some((state) => state === text)) throw new InvalidArgumentError(`It is one of ${states.join(', ')}.`);
  return text;
}

function parseLimit(text: string): number {
  const limit = Number(text);
  if (!Number.isInteger(limit) || limit < 1 || limit > maxListed)
    throw new InvalidArgumentError(`It is a number from 1 to ${maxListed}.`);
  return limit;
}
