import { type AlarmTargetId, newAlarmTargetSchema, parseId, toPublicId } from '@switchyard/contract';
import type { Command } from 'commander';
import { type Incident, stateOf, summaryOf } from '#monitoring';
import { type CliDeps, loadWorkspace } from '../deps.ts';
import { CommandFailed, WrongUse } from '../failures.ts';
import { type Shown, show, table } from '../output.ts';

interface Options extends Shown {
  readonly workspace: string;
}

const maxListed = 100;

export function addAlarms(program: Command, deps: CliDeps): void {
  const alarms = program
    .command('alarms')
    .description('what is wrong, who is told, and whether it arrives')
    .addHelpText('after', '\nExample: switchyard alarms list --workspace demo');
  addList(alarms, deps);
  const targets = alarms
    .command('targets')
    .description('who is told')
    .addHelpText('after', '\nExample: switchyard alarms targets list --workspace demo');
  addTargetList(targets, deps);
  addTarget(targets, deps);
  addRemove(targets, deps);
  addTest(alarms, deps);
}

function addList(alarms: Command, deps: CliDeps): void {
  alarms
    .command('list')
    .description('incidents, the newest first')
    .requiredOption('--workspace <id or slug>', 'whose')
    .option('--open', 'only those that are open')
    .option('--json', 'print one JSON document')
    .addHelpText('after', '\nExample: switchyard alarms list --workspace demo --open')
    .action((options: Options & { readonly open?: true }) =>
      deps.withProduct(async (product) => {
        const workspace = await loadWorkspace(product, options.workspace);
        const state = options.open ? 'open' : undefined;
        const rows = await product.storage.inWorkspace(workspace.id, (tx) =>
          product.monitoring.alarms.incidents(tx, { state, limit: maxListed }),
        );
        const shown = rows.map(present);
        show(deps.output, options, { alarms: shown }, () =>
          shown.length === 0
            ? 'Nothing is wrong.'
            : table(
                ['id', 'opened', 'state', 'what'],
                shown.map((row) => [row.id, row.openedAt, row.state, row.summary]),
              ),
        );
      }),
    );
}

function present(incident: Incident) {
  return {
    id: toPublicId('incident', incident.id),
    kind: incident.kind,
    state: stateOf(incident),
    account: incident.accountName,
    summary: summaryOf(incident),
    facts: incident.facts,
    openedAt: incident.openedAt.toISOString(),
    lastSeenAt: incident.lastSeenAt.toISOString(),
    resolvedAt: incident.resolvedAt?.toISOString() ?? null,
  };
}

function addTargetList(targets: Command, deps: CliDeps): void {
  targets
    .command('list')
    .description('addresses that are told, and how the last message to each went')
    .requiredOption('--workspace <id or slug>', 'whose')
    .option('--json', 'print one JSON document')
    .addHelpText('after', '\nExample: switchyard alarms targets list --workspace demo')
    .action((options: Options) =>
      deps.withProduct(async (product) => {
        const workspace = await loadWorkspace(product, options.workspace);
        const rows = await product.storage.inWorkspace(workspace.id, product.monitoring.alarms.targets);
        const shown = rows.map(({ id, createdAt: _createdAt, ...row }) => ({
          id: toPublicId('alarmTarget', id),
          ...row,
        }));
        show(deps.output, options, { targets: shown }, () =>
          shown.length === 0
            ? 'Nobody is told.'
            : table(
                ['id', 'kind', 'address', 'last', 'error'],
                shown.map((row) => [
                  row.id,
                  row.kind,
                  row.address,
                  row.lastNotice?.state ?? null,
                  row.lastNotice?.error ?? null,
                ]),
              ),
        );
      }),
    );
}

function addTarget(targets: Command, deps: CliDeps): void {
  targets
    .command('add')
    .description('tell an address of mail, or a webhook; the secret that signs its calls is shown here only')
    .requiredOption('--workspace <id or slug>', 'whose alarms')
    .option('--email <address>', 'an address of mail')
    .option('--webhook <url>', 'a webhook')
    .option('--json', 'print one JSON document')
    .addHelpText(
      'after',
      '\nExample: switchyard alarms targets add --workspace demo --webhook https://example.com/hook',
    )
    .action((options: Options & { readonly email?: string; readonly webhook?: string }) => {
      const target = parseTarget(options);
      return deps.withProduct(async (product) => {
        const workspace = await loadWorkspace(product, options.workspace);
        const made = await product.monitoring.alarms.addTarget(workspace.id, target);
        if (!made.ok) throw new CommandFailed(made.refusal.detail);
        const { secret } = made.value;
        const id = toPublicId('alarmTarget', made.value.id);
        show(deps.output, options, { id, ...target, secret }, () => (secret === null ? id : `${id}\n${secret}`));
      });
    });
}

function parseTarget({ email, webhook }: { readonly email?: string; readonly webhook?: string }) {
  if ((email === undefined) === (webhook === undefined)) throw new WrongUse('give one of --email and --webhook');
  const kind = email === undefined ? 'webhook' : 'email';
  const parsed = newAlarmTargetSchema.safeParse({ kind, address: email ?? webhook });
  if (!parsed.success) throw new WrongUse(`--${kind} ${email ?? webhook} is not one`);
  return parsed.data;
}

function addRemove(targets: Command, deps: CliDeps): void {
  targets
    .command('remove <id>')
    .description('tell it no more')
    .requiredOption('--workspace <id or slug>', 'whose')
    .option('--json', 'print one JSON document')
    .addHelpText('after', '\nExample: switchyard alarms targets remove alt_0198… --workspace demo')
    .action((text: string, options: Options) => {
      const id = parseTargetId(text);
      return deps.withProduct(async (product) => {
        const workspace = await loadWorkspace(product, options.workspace);
        const isRemoved = await product.storage.inWorkspace(workspace.id, (tx) =>
          product.monitoring.alarms.removeTarget(tx, id),
        );
        if (!isRemoved) throw new CommandFailed(`${workspace.name} tells no ${text}`);
        show(deps.output, options, { removed: text }, () => `${text} is told no more.`);
      });
    });
}

function addTest(alarms: Command, deps: CliDeps): void {
  alarms
    .command('test <id>')
    .description('tell one address a test now, and say what came of it')
    .requiredOption('--workspace <id or slug>', 'whose')
    .option('--json', 'print one JSON document')
    .addHelpText('after', '\nExample: switchyard alarms test alt_0198… --workspace demo')
    .action((text: string, options: Options) => {
      const id = parseTargetId(text);
      return deps.withProduct(async (product) => {
        const workspace = await loadWorkspace(product, options.workspace);
        const tried = await product.monitoring.alarms.test(workspace.id, id);
        if (!tried) throw new CommandFailed(`${workspace.name} tells no ${text}`);
        show(
          deps.output,
          options,
          tried,
          () => `${tried.isDelivered ? 'Arrived' : 'Did not arrive'} in ${tried.milliseconds} ms.`,
        );
        if (!tried.isDelivered) throw new CommandFailed(tried.error ?? 'it did not arrive');
      });
    });
}

function parseTargetId(text: string): AlarmTargetId {
  const id = parseId('alarmTarget', text);
  if (!id) throw new WrongUse(`${text} is not the id of an alarm target`);
  return id;
}
