import { type Command, InvalidArgumentError } from 'commander';
import { type RetentionPlan, retentionLimits } from '#privacy';
import { mustConfirm } from '../confirm.ts';
import { type CliDeps, loadWorkspace } from '../deps.ts';
import { WrongUse } from '../failures.ts';
import { type Shown, show } from '../output.ts';

interface PolicyOptions extends Shown {
  readonly workspace: string;
  readonly deliveries?: number;
  readonly attempts?: number;
  readonly yes?: boolean;
}

export function addRetention(program: Command, deps: CliDeps): void {
  const retention = program
    .command('retention')
    .description('how long raw deliveries and tries to send are kept')
    .addHelpText('after', '\nExample: switchyard retention show --workspace demo');
  addShow(retention, deps);
  addSet(retention, deps);
  addRun(retention, deps);
}

function addShow(retention: Command, deps: CliDeps): void {
  retention
    .command('show')
    .description('the policy, and what the next run would take; with days: what it would take under those')
    .requiredOption('--workspace <id or slug>', 'whose')
    .option('--deliveries <days>', 'as if raw deliveries were kept so long', parseDays)
    .option('--attempts <days>', 'as if tries were kept so long', parseDays)
    .option('--json', 'print one JSON document')
    .addHelpText('after', '\nExample: switchyard retention show --workspace demo --deliveries 7')
    .action((options: PolicyOptions) =>
      deps.withProduct(async (product) => {
        const workspace = await loadWorkspace(product, options.workspace);
        const plan = await product.retention.plan(workspace.id, policyOf(options));
        show(deps.output, options, { retention: present(plan) }, () => describe(plan));
      }),
    );
}

function addSet(retention: Command, deps: CliDeps): void {
  retention
    .command('set')
    .description('change the policy; what is older goes with the next run')
    .requiredOption('--workspace <id or slug>', 'whose')
    .option('--deliveries <days>', 'keep raw deliveries so long', parseDays)
    .option('--attempts <days>', 'keep tries so long', parseDays)
    .option('--yes', 'do not ask')
    .option('--json', 'print one JSON document')
    .addHelpText('after', '\nExample: switchyard retention set --workspace demo --deliveries 7 --yes')
    .action((options: PolicyOptions) => {
      const policy = policyOf(options);
      if (Object.keys(policy).length === 0) throw new WrongUse('give --deliveries or --attempts');
      return deps.withProduct(async (product) => {
        const workspace = await loadWorkspace(product, options.workspace);
        const planned = await product.retention.plan(workspace.id, policy);
        await mustConfirm(deps.confirm, options.yes ?? false, `${describe(planned)} Change it?`);
        const plan = await product.retention.set(workspace.id, policy, 'cli');
        show(deps.output, options, { retention: present(plan) }, () => describe(plan));
      });
    });
}

function addRun(retention: Command, deps: CliDeps): void {
  retention
    .command('run')
    .description('take what is older than the policies now, in all workspaces; the server does so every six hours')
    .option('--json', 'print one JSON document')
    .addHelpText('after', '\nExample: switchyard retention run')
    .action((options: Shown) =>
      deps.withProduct(async (product) => {
        const run = await product.retention.run(new AbortController().signal);
        show(
          deps.output,
          options,
          run,
          () =>
            `Dropped ${run.droppedDays} day partition(s), emptied ${run.emptiedBodies} bodies, deleted ${run.deletedAttempts} tries and ${run.deletedKeys} keys of events.`,
        );
      }),
    );
}

function policyOf({ deliveries, attempts }: PolicyOptions) {
  return {
    ...(deliveries === undefined ? {} : { deliveryDays: deliveries }),
    ...(attempts === undefined ? {} : { attemptDays: attempts }),
  };
}

function present({ policy, deliveriesBefore, attemptsBefore, doomed }: RetentionPlan) {
  return {
    ...policy,
    deliveriesBefore: deliveriesBefore.toISOString(),
    attemptsBefore: attemptsBefore.toISOString(),
    doomed: { ...doomed, oldestDeliveryAt: doomed.oldestDeliveryAt?.toISOString() ?? null },
  };
}

function describe({ policy, doomed }: RetentionPlan): string {
  const kept = `Raw deliveries are kept ${policy.deliveryDays} day(s), tries ${policy.attemptDays}.`;
  const megabytes = (doomed.deliveryBytes / 1_000_000).toFixed(1);
  return `${kept} The next run takes ${doomed.deliveries} raw deliveries (${megabytes} MB) and ${doomed.attempts} tries.`;
}

function parseDays(text: string): number {
  const { leastDays, mostDays } = retentionLimits;
  const days = Number(text);
  if (!Number.isInteger(days) || days < leastDays || days > mostDays)
    throw new InvalidArgumentError(`It is a number of days from ${leastDays} to ${mostDays}.`);
  return days;
}
