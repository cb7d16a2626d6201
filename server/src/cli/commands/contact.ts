import { writeFile } from 'node:fs/promises';
import { type ContactId, parseId, toPublicId } from '@switchyard/contract';
import type { Command } from 'commander';
import type { Erasure, PurgeEnd } from '#privacy';
import { mustConfirm } from '../confirm.ts';
import { type CliDeps, loadWorkspace } from '../deps.ts';
import { CommandFailed, WrongUse } from '../failures.ts';
import { type Shown, show, table } from '../output.ts';

interface ContactOptions extends Shown {
  readonly workspace: string;
}

const shownErasures = 100;

export function addContact(program: Command, deps: CliDeps): void {
  const contact = program
    .command('contact')
    .description('export and erasure of one person')
    .addHelpText('after', '\nExample: switchyard contact export con_0198… --workspace demo --out contact.json');
  addExport(contact, deps);
  addErase(contact, deps);
  addErasures(contact, deps);
}

function addExport(contact: Command, deps: CliDeps): void {
  contact
    .command('export <id>')
    .description('everything that is kept of a contact, as one JSON document')
    .requiredOption('--workspace <id or slug>', 'whose contact')
    .option('--out <file>', 'write it there, readable by you only; without it, to standard output')
    .option('--json', 'print one JSON document')
    .addHelpText('after', '\nExample: switchyard contact export con_0198… --workspace demo > contact.json')
    .action((text: string, options: ContactOptions & { readonly out?: string }) => {
      const id = parseContactId(text);
      return deps.withProduct(async (product) => {
        const workspace = await loadWorkspace(product, options.workspace);
        const exported = await product.privacy.exportContact(workspace.id, id, 'cli');
        if (!exported.ok)
          throw new CommandFailed(
            exported.refusal === 'not-found'
              ? `${workspace.name} has no contact ${text}`
              : `there is more of ${text} than one document can hold`,
          );
        if (options.out === undefined) return deps.output.result(JSON.stringify(exported.value));
        await writeFile(options.out, JSON.stringify(exported.value), { mode: 0o600 });
        const facts = { file: options.out, messages: exported.value.messages.length };
        show(deps.output, options, facts, () => `Wrote ${facts.messages} message(s) and all else to ${facts.file}.`);
      });
    });
}

function addErase(contact: Command, deps: CliDeps): void {
  contact
    .command('erase <id>')
    .description('hide a contact at once and remove everything that is kept of them; cannot be undone')
    .requiredOption('--workspace <id or slug>', 'whose contact')
    .option('--yes', 'do not ask')
    .option('--json', 'print one JSON document')
    .addHelpText('after', '\nExample: switchyard contact erase con_0198… --workspace demo --yes')
    .action((text: string, options: ContactOptions & { readonly yes?: boolean }) => {
      const id = parseContactId(text);
      return deps.withProduct(async (product) => {
        const workspace = await loadWorkspace(product, options.workspace);
        await mustConfirm(
          deps.confirm,
          options.yes ?? false,
          `Erase ${text} of ${workspace.name}, with all messages? It cannot be undone.`,
        );
        const erasure = await product.privacy.eraseContact(workspace.id, id, 'cli');
        if (!erasure) throw new CommandFailed(`${workspace.name} has no contact ${text}`);
        const end = await product.privacy.purgeOne(workspace.id, erasure.id, new AbortController().signal);
        const receipt = (await product.privacy.findErasure(workspace.id, erasure.id)) ?? erasure;
        const waitsFor = receipt.phase === 'done' ? null : (causes[end] ?? null);
        show(deps.output, options, { erasure: present(receipt), waitsFor }, () => describeErasure(receipt, end));
      });
    });
}

function addErasures(contact: Command, deps: CliDeps): void {
  contact
    .command('erasures')
    .description('receipts of erasures, the latest first')
    .requiredOption('--workspace <id or slug>', 'whose')
    .option('--json', 'print one JSON document')
    .addHelpText('after', '\nExample: switchyard contact erasures --workspace demo')
    .action((options: ContactOptions) =>
      deps.withProduct(async (product) => {
        const workspace = await loadWorkspace(product, options.workspace);
        const { data } = await product.privacy.listErasures(workspace.id, { limit: shownErasures });
        const erasures = data.map(present);
        show(deps.output, options, { erasures }, () =>
          erasures.length === 0
            ? 'Nobody was erased.'
            : table(
                ['receipt', 'contact', 'asked', 'by', 'phase', 'messages', 'failed at'],
                erasures.map((one) => [
                  ...[one.id, one.contactId, one.requestedAt, one.requestedBy, one.phase],
                  one.counts.messages ?? 0,
                  one.failure === null ? '' : `${one.failedAt} (${one.failure})`,
                ]),
              ),
        );
      }),
    );
}

function present(erasure: Erasure) {
  return {
    ...erasure,
    id: toPublicId('erasure', erasure.id),
    contactId: toPublicId('contact', erasure.contactId),
    requestedAt: erasure.requestedAt.toISOString(),
    finishedAt: erasure.finishedAt?.toISOString() ?? null,
    failedAt: erasure.failedAt?.toISOString() ?? null,
  };
}

/** What keeps an erasure from its end for now. */
const causes: Readonly<Partial<Record<PurgeEnd, string>>> = {
  held: 'another-process',
  sending: 'message-on-its-way',
  failed: 'next-try',
};

const rests: Readonly<Partial<Record<PurgeEnd, string>>> = {
  held: 'another process is removing the rest',
  sending: 'a message to them is still on its way out, the rest follows',
  failed: 'removing the rest failed (see the server’s log) and is tried again every minute',
};

/** `end`: of the purge that this command began; whatever it was, the receipt may say that all is through. */
export function describeErasure(erasure: Erasure, end: PurgeEnd): string {
  const counts = Object.entries(erasure.counts).map(([kind, count]) => `${count} ${kind}`);
  const state = erasure.phase === 'done' ? 'Erased' : `Hidden; ${rests[end] ?? 'the rest follows'}`;
  return `${state}. Receipt ${toPublicId('erasure', erasure.id)}: ${counts.join(', ') || 'nothing was kept'}.`;
}

function parseContactId(text: string): ContactId {
  const id = parseId('contact', text);
  if (!id) throw new WrongUse(`${text} is not a contact id`);
  return id;
}
