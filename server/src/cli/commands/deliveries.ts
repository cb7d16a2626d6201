import { parseId, toPublicId } from '@switchyard/contract';
import { type Command, InvalidArgumentError } from 'commander';
import { inboxTopic, listDeliveries, replayDelivery } from '#inbox';
import { type CliDeps, loadWorkspace } from '../deps.ts';
import { CommandFailed, WrongUse } from '../failures.ts';
import { table } from '../output.ts';

interface ListOptions {
  readonly workspace: string;
  readonly state?: 'stored' | 'normalised' | 'dead';
  readonly limit: number;
  readonly json?: boolean;
}

export function addDeliveries(program: Command, deps: CliDeps): void {
  const deliveries = program.command('deliveries').description('what providers delivered, and what became of it');

  deliveries
    .command('list')
    .description('the latest deliveries')
    .requiredOption('--workspace <id or slug>', 'whose deliveries')
    .option('--state <state>', 'stored, normalised or dead', parseState)
    .option('--limit <n>', 'how many', parseLimit, 20)
    .option('--json', 'print one JSON document')
    .action((options: ListOptions) =>
      deps.withProduct(async (product) => {
        const workspace = await loadWorkspace(product, options.workspace);
        const rows = await product.storage.inWorkspace(workspace.id, (tx) =>
          listDeliveries(tx, { state: options.state, limit: options.limit }),
        );
        const shown = rows.map((row) => ({
          id: toPublicId('delivery', row.id),
          receivedAt: row.receivedAt.toISOString(),
          provider: row.provider,
          account: row.accountName,
          state: row.state,
          events: row.eventCount,
          duplicates: row.duplicateCount,
          deadLetters: row.deadCount,
          sender: row.sender,
          summary: row.summary,
          error: row.error,
        }));
        if (options.json) deps.output.result(JSON.stringify({ deliveries: shown }));
        else if (shown.length === 0) deps.output.result('No deliveries.');
        else
          deps.output.result(
            table(
              ['id', 'received', 'provider', 'account', 'state', 'what', 'sender', 'error'],
              shown.map((row) => [
                row.id,
                row.receivedAt,
                row.provider,
                row.account,
                row.state,
                row.summary,
                row.sender,
                row.error,
              ]),
            ),
          );
      }),
    );

  deliveries
    .command('replay <id...>')
    .description('handle deliveries once more; what already took effect stays single')
    .requiredOption('--workspace <id or slug>', 'whose deliveries')
    .option('--json', 'print one JSON document')
    .action((ids: string[], options: { workspace: string; json?: boolean }) =>
      deps.withProduct(async (product) => {
        const workspace = await loadWorkspace(product, options.workspace);
        const replayed = [];
        for (const text of ids) {
          const id = parseId('delivery', text);
          if (!id) throw new WrongUse(`${text} is not a delivery id`);
          const result = await replayDelivery(product.storage, workspace.id, id);
          if (!result.isFound) throw new CommandFailed(`${workspace.name} has no delivery ${text}`);
          replayed.push({ id: toPublicId('delivery', id), revived: result.revived });
        }
        await product.engines.doorbell.ring(inboxTopic);
        deps.output.result(
          options.json
            ? JSON.stringify({ replayed })
            : replayed
                .map((one) => `Replaying ${one.id}${one.revived > 0 ? `, ${one.revived} dead event(s) with it` : ''}.`)
                .join('\n'),
        );
      }),
    );
}

function parseState(text: string): string {
  if (!['stored', 'normalised', 'dead'].includes(text))
    throw new InvalidArgumentError('It is stored, normalised or dead.');
  return text;
}

function parseLimit(text: string): number {
  const limit = Number(text);
  if (!Number.isInteger(limit) || limit < 1 || limit > 1_000)
    throw new InvalidArgumentError('It is a number from 1 to 1000.');
  return limit;
}
