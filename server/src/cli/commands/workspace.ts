import {
  isTimeZone,
  toPublicId,
  type WorkspaceChange,
  workspaceLanguages,
  workspaceNameSchema,
} from '@switchyard/contract';
import type { Command } from 'commander';
import type { Workspace } from '#workspaces';
import { type CliDeps, loadWorkspace } from '../deps.ts';
import { CommandFailed, WrongUse } from '../failures.ts';
import { type Shown, show, table } from '../output.ts';

export function addWorkspace(program: Command, deps: CliDeps): void {
  const workspace = program
    .command('workspace')
    .description('tenants')
    .addHelpText('after', '\nExample: switchyard workspace list');

  workspace
    .command('create <name>')
    .description('make a workspace')
    .option('--slug <slug>', 'its short name in URLs and commands; made of the name if left out')
    .option('--json', 'print one JSON document')
    .addHelpText(
      'after',
      '\nExamples:\n  switchyard workspace create "Bazaar Norte"\n  switchyard workspace create "Bazaar Norte" --slug norte --json',
    )
    .action((text: string, options: Shown & { slug?: string }) => {
      const name = parseName(text);
      return deps.withProduct(async (product) => {
        const slug = options.slug === undefined ? {} : { slug: options.slug };
        const made = await product.workspaces.create(name, { ...slug, actor: 'cli' });
        if (!made.ok) throw new CommandFailed(made.refusal.detail);
        const shown = present(made.value);
        show(deps.output, options, { workspace: shown }, () => `Made ${shown.name} (${shown.id}, ${shown.slug}).`);
      });
    });

  workspace
    .command('list')
    .description('all workspaces')
    .option('--json', 'print one JSON document')
    .addHelpText('after', '\nExample: switchyard workspace list --json')
    .action((options: Shown) =>
      deps.withProduct(async (product) => {
        const workspaces = (await product.workspaces.list()).map(present);
        show(deps.output, options, { workspaces }, () =>
          workspaces.length === 0
            ? 'No workspace yet. Make one: switchyard workspace create NAME'
            : table(
                ['id', 'slug', 'name', 'kind', 'time zone', 'language'],
                workspaces.map((one) => [one.id, one.slug, one.name, one.kind, one.timeZone, one.language]),
              ),
        );
      }),
    );
  addSet(workspace, deps);
}

interface SetOptions extends Shown {
  readonly name?: string;
  readonly timeZone?: string;
  readonly language?: string;
}

function addSet(workspace: Command, deps: CliDeps): void {
  workspace
    .command('set <workspace>')
    .description('change how it is called, whose days it counts, which language its mails have')
    .option('--name <name>', 'as people read it; the slug stays')
    .option('--time-zone <zone>', 'IANA name; statistics, quotas and quiet hours count its days')
    .option('--language <language>', workspaceLanguages.join(', '))
    .option('--json', 'print one JSON document')
    .addHelpText(
      'after',
      '\nExamples:\n  switchyard workspace set demo --time-zone Europe/Madrid\n  switchyard workspace set demo --name "Bazaar Norte" --language es --json',
    )
    .action((idOrSlug: string, options: SetOptions) => {
      const change = changeOf(options);
      return deps.withProduct(async (product) => {
        const found = await loadWorkspace(product, idOrSlug);
        const changed = await product.workspaces.update(found.id, change, 'cli');
        if (!changed.ok) throw new CommandFailed(changed.refusal.detail);
        await product.accounts.forgetWorkspace(found.id);
        const shown = present(changed.value);
        show(
          deps.output,
          options,
          { workspace: shown },
          () => `${shown.name} (${shown.slug}): ${shown.timeZone}, ${shown.language}.`,
        );
      });
    });
}

function changeOf({ name, timeZone, language }: SetOptions): WorkspaceChange {
  if (name === undefined && timeZone === undefined && language === undefined)
    throw new WrongUse('give --name, --time-zone or --language');
  const known = workspaceLanguages.find((one) => one === language);
  if (language !== undefined && !known)
    throw new WrongUse(`${language} is none of the languages ${workspaceLanguages.join(', ')}`);
  if (timeZone !== undefined && !isTimeZone(timeZone))
    throw new WrongUse(`${timeZone} is not the name of a time zone, like Europe/Madrid`);
  return {
    ...(name === undefined ? {} : { name: parseName(name) }),
    ...(timeZone === undefined ? {} : { timeZone }),
    ...(known ? { language: known } : {}),
  };
}

/** As the interface takes it. */
function parseName(text: string): string {
  const named = workspaceNameSchema.safeParse(text);
  if (named.success) return named.data;
  throw new WrongUse(`a workspace's name has 1 to 100 characters, this one has ${text.trim().length}`);
}

function present(workspace: Workspace) {
  return {
    id: toPublicId('workspace', workspace.id),
    slug: workspace.slug,
    name: workspace.name,
    kind: workspace.kind,
    timeZone: workspace.timeZone,
    language: workspace.language,
    createdAt: workspace.createdAt.toISOString(),
  };
}
