import { toPublicId } from '@switchyard/contract';
import { type Command, InvalidArgumentError } from 'commander';
import { defaultSpan, type Reconciliation, spanProblem } from '#inbox';
import { type CliDeps, loadWorkspace } from '../deps.ts';
import { CommandFailed, WrongUse } from '../failures.ts';
import { type Shown, show } from '../output.ts';
import { chooseAccount } from '../which-account.ts';

interface ReconcileOptions extends Shown {
  readonly workspace: string;
  readonly from?: Date;
  readonly until?: Date;
}

export function addReconcile(account: Command, deps: CliDeps): void {
  account
    .command('reconcile <account>')
    .description('ask the provider for messages whose webhooks were lost; those not known yet are stored')
    .requiredOption('--workspace <id or slug>', 'whose account')
    .option('--from <time>', 'ISO 8601; from the last webhook, or a day ago, if left out', parseTime)
    .option('--until <time>', 'ISO 8601; until now if left out', parseTime)
    .option('--json', 'print one JSON document')
    .addHelpText(
      'after',
      '\nTwilio and Evolution can be asked; Meta and Instagram repeat their webhooks instead. The account is its id, its name or its phone number.\n\nExample: switchyard account reconcile acc_0198… --workspace demo --from 2026-11-20T08:00:00Z',
    )
    .action((text: string, options: ReconcileOptions) => {
      return deps.withProduct(async (product) => {
        const workspace = await loadWorkspace(product, options.workspace);
        const known = chooseAccount(await product.accounts.list(workspace.id), text);
        const account = await product.accounts.findServing(workspace.id, known.id);
        if (!account) throw new CommandFailed(`${workspace.name} has no account ${text}`);
        const span = {
          ...defaultSpan(known.lastWebhookAt, new Date()),
          ...(options.from ? { from: options.from } : {}),
          ...(options.until ? { until: options.until } : {}),
        };
        const problem = spanProblem(span);
        if (problem) throw new WrongUse(problem);
        const found = await product.reconcile(account, span);
        show(deps.output, options, { reconciliation: present(found) }, () => describe(found));
        if (found.state === 'failed') throw new CommandFailed(found.detail ?? 'the provider could not be asked');
      });
    });
}

function present(one: Reconciliation) {
  return {
    ...one,
    id: toPublicId('reconciliation', one.id),
    accountId: toPublicId('account', one.accountId),
    wantedFrom: one.wantedFrom.toISOString(),
    wantedUntil: one.wantedUntil.toISOString(),
    coveredFrom: one.coveredFrom?.toISOString() ?? null,
    startedAt: one.startedAt.toISOString(),
    finishedAt: one.finishedAt?.toISOString() ?? null,
  };
}

function describe(one: Reconciliation): string {
  const found = `${one.listed} message(s) and receipts listed, ${one.recovered} of them recovered.`;
  const span = `${one.wantedFrom.toISOString()} to ${one.wantedUntil.toISOString()}`;
  if (one.state === 'complete') return `${found} All of ${span} was covered.`;
  const covered = one.coveredFrom
    ? `covered from ${one.coveredFrom.toISOString()} on`
    : 'how much was covered is not known';
  return `${found} Of ${span}: ${covered}${one.detail ? ` (${one.detail})` : ''}.`;
}

function parseTime(text: string): Date {
  const at = new Date(text);
  if (Number.isNaN(at.getTime())) throw new InvalidArgumentError('It is a time like 2026-11-20T08:00:00Z.');
  return at;
}
