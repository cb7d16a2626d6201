import type { Command } from 'commander';
import { type Anchor, type AuditRecord, listAudit, verifyAudit } from '#workspaces';
import { type CliDeps, loadWorkspace } from '../deps.ts';
import { CommandFailed, WrongUse } from '../failures.ts';
import { type Shown, show, table } from '../output.ts';

interface OfWorkspace extends Shown {
  readonly workspace: string;
}

interface ListOptions extends OfWorkspace {
  readonly actor?: string;
  readonly action?: string;
  readonly resource?: string;
  readonly limit: string;
}

const maxShown = 1_000;

export function addAudit(program: Command, deps: CliDeps): void {
  const audit = program
    .command('audit')
    .description('who did what')
    .addHelpText('after', '\nExample: switchyard audit verify --workspace demo');
  addList(audit, deps);
  addVerify(audit, deps);
}

function addList(audit: Command, deps: CliDeps): void {
  audit
    .command('list')
    .description('entries, the newest first')
    .requiredOption('--workspace <id or slug>', 'whose log')
    .option('--actor <actor>', 'as it is listed: "person per_…", "key key_…", cli, system')
    .option('--action <verb>', 'such as create')
    .option('--resource <resource>', 'a thing as it is listed, or its kind: account')
    .option('--limit <number>', `how many, up to ${maxShown}`, '50')
    .option('--json', 'print one JSON document')
    .addHelpText('after', '\nExample: switchyard audit list --workspace demo --resource api-key')
    .action((options: ListOptions) =>
      deps.withProduct(async (product) => {
        const workspace = await loadWorkspace(product, options.workspace);
        const { actor, action, resource } = options;
        const filter = { actor, action, resource, limit: limitOf(options.limit) };
        const entries = (await product.storage.inWorkspace(workspace.id, (tx) => listAudit(tx, filter))).map(present);
        show(deps.output, options, { entries }, () =>
          table(
            ['no.', 'when', 'who', 'did', 'to', 'fields'],
            entries.map((one) => [
              one.sequence,
              one.at,
              one.actorName ?? one.actor,
              one.action,
              one.resource,
              JSON.stringify(one.fields),
            ]),
          ),
        );
      }),
    );
}

function addVerify(audit: Command, deps: CliDeps): void {
  audit
    .command('verify')
    .description('whether the chain of a log is whole; fails at the first entry that does not follow')
    .requiredOption('--workspace <id or slug>', 'whose log')
    .option('--anchor <sequence:hash>', 'an earlier head, which must still be in the chain')
    .option('--json', 'print one JSON document')
    .addHelpText('after', '\nExample: switchyard audit verify --workspace demo --anchor 12:9f86d0…')
    .action((options: OfWorkspace & { readonly anchor?: string }) =>
      deps.withProduct(async (product) => {
        const workspace = await loadWorkspace(product, options.workspace);
        const anchor = options.anchor === undefined ? null : anchorOf(options.anchor);
        const verdict = await product.storage.inWorkspace(workspace.id, (tx) => verifyAudit(tx, anchor));
        const { entries, head, broken } = verdict;
        show(deps.output, options, { isWhole: broken === null, ...verdict }, () =>
          broken ? '' : `${entries} entries, unbroken.${head ? ` Head: ${head.sequence}:${head.hash}` : ''}`,
        );
        if (broken) throw new CommandFailed(`the chain is broken at entry ${broken.sequence}: ${broken.reason}`);
      }),
    );
}

function limitOf(text: string): number {
  const limit = /^\d{1,4}$/.test(text) ? Number(text) : 0;
  if (limit >= 1 && limit <= maxShown) return limit;
  throw new WrongUse(`--limit ${text} is not a number from 1 to ${maxShown}`);
}

function anchorOf(text: string): Anchor {
  const [, sequence, hash] = /^([1-9]\d{0,17}):([0-9a-f]{64})$/.exec(text) ?? [];
  if (sequence && hash) return { sequence, hash };
  throw new WrongUse(`--anchor ${text} is not a sequence and a hash like 12:9f86d0…`);
}

function present({ at, ...entry }: AuditRecord) {
  return { ...entry, at: at.toISOString() };
}
