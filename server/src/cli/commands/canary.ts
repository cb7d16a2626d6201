import { setTimeout as delay } from 'node:timers/promises';
import { toPublicId } from '@switchyard/contract';
import { type Command, InvalidArgumentError } from 'commander';
import { canaryLimits, type SeenRun } from '#monitoring';
import { type CliDeps, type CliProduct, loadWorkspace } from '../deps.ts';
import { CommandFailed, WrongUse } from '../failures.ts';
import { type Shown, show, table } from '../output.ts';
import { accountHelp, chooseAccount } from '../which-account.ts';

interface Options extends Shown {
  readonly workspace: string;
}

const lookMs = 200;

export function addCanary(program: Command, deps: CliDeps): void {
  const canary = program
    .command('canary')
    .description('send a test through an account’s whole chain; its reply is held, no provider hears of it')
    .addHelpText('after', '\nExample: switchyard canary run acc_0198… --workspace demo');
  addRun(canary, deps);
  addSchedule(canary, deps);
}

function addRun(canary: Command, deps: CliDeps): void {
  canary
    .command('run <account>')
    .description('send one now and tell the time of each hop; a server must be running')
    .requiredOption('--workspace <id or slug>', 'whose account')
    .option('--json', 'print one JSON document')
    .addHelpText('after', helpWith('canary run "Front desk" --workspace demo --json'))
    .action((text: string, options: Options) => {
      return deps.withProduct(async (product) => {
        const workspace = await loadWorkspace(product, options.workspace);
        const { id, name } = chooseAccount(await product.accounts.list(workspace.id), text);
        const runId = await product.monitoring.canaries.run(workspace.id, id);
        if (!runId) throw new CommandFailed(`${name} is switched off: an account that is served takes canaries`);
        const run = await waitFor(product, workspace.id, runId);
        const document = {
          ...run,
          id: toPublicId('delivery', run.id),
          accountId: toPublicId('account', run.accountId),
        };
        show(deps.output, options, document, () => draw(run));
        if (run.state !== 'passed') throw new CommandFailed(run.error ?? `the canary is ${run.state}`);
      });
    });
}

/** Until it has passed or is late: that is a minute at most. */
async function waitFor(
  product: CliProduct,
  workspaceId: Parameters<CliProduct['storage']['inWorkspace']>[0],
  id: SeenRun['id'],
): Promise<SeenRun> {
  for (let waited = 0; ; waited += lookMs) {
    const run = await product.storage.inWorkspace(workspaceId, (tx) => product.monitoring.canaries.look(tx, id));
    if (!run) throw new CommandFailed('the run is no longer there');
    if (run.state !== 'running' || waited > canaryLimits.lateMs) return run;
    await delay(lookMs);
  }
}

function draw(run: SeenRun): string {
  const hops = table(
    ['hop', 'after'],
    run.hops.map(({ name, ms }) => [name, ms === null ? null : `${ms.toFixed(1)} ms`]),
  );
  const entrance = run.entrance === 'store' ? '  (entered where the gateway stores, past its listener)' : '';
  return `${toPublicId('delivery', run.id)}  ${run.state}${entrance}\n\n${hops}`;
}

function addSchedule(canary: Command, deps: CliDeps): void {
  canary
    .command('schedule <account>')
    .description('send one again and again, and raise an alarm when it is late; --off: no more')
    .requiredOption('--workspace <id or slug>', 'whose account')
    .option('--every <minutes>', '1 to 1440', parseMinutes)
    .option('--off', 'send none')
    .option('--json', 'print one JSON document')
    .addHelpText('after', helpWith('canary schedule +34600111222 --workspace demo --every 15'))
    .action((text: string, options: Options & { readonly every?: number; readonly off?: true }) => {
      if ((options.every === undefined) === (options.off === undefined))
        throw new WrongUse('give one of --every and --off');
      return deps.withProduct(async (product) => {
        const workspace = await loadWorkspace(product, options.workspace);
        const { id } = chooseAccount(await product.accounts.list(workspace.id), text);
        const everyMinutes = options.every ?? null;
        await product.storage.inWorkspace(workspace.id, async (tx) => {
          await product.monitoring.canaries.setSchedule(tx, id, everyMinutes);
          await product.workspaces.audit(tx, {
            ...{ actor: 'cli', action: 'update', resource: `canary of ${toPublicId('account', id)}` },
            fields: { everyMinutes },
          });
        });
        show(deps.output, options, { accountId: toPublicId('account', id), everyMinutes }, () =>
          everyMinutes === null ? 'No canary is sent.' : `A canary is sent every ${everyMinutes} minute(s).`,
        );
      });
    });
}

function helpWith(example: string): string {
  return `\nThe account is ${accountHelp}.\n\nExample: switchyard ${example}`;
}

function parseMinutes(text: string): number {
  const minutes = Number(text);
  if (!Number.isInteger(minutes) || minutes < 1 || minutes > 1_440)
    throw new InvalidArgumentError('It is a whole number from 1 to 1440.');
  return minutes;
}
