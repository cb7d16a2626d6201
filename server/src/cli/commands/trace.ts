import type { Command } from 'commander';
import { unpackForSearch } from '#inbox';
import { type FoundTrace, longestQuery } from '#monitoring';
import type { Workspace } from '#workspaces';
import { type CliDeps, loadWorkspace } from '../deps.ts';
import { CommandFailed, WrongUse } from '../failures.ts';
import { printable, type Shown, show, table } from '../output.ts';

interface Options extends Shown {
  readonly workspace?: string;
}

export function addTrace(program: Command, deps: CliDeps): void {
  program
    .command('trace <query>')
    .description(
      'follow messages from the provider’s request to the receipt: by phone number, provider’s id or any id of ours',
    )
    .option('--workspace <id or slug>', 'one workspace; else all')
    .option('--json', 'print one JSON document')
    .addHelpText(
      'after',
      [
        '',
        'Examples:',
        '  switchyard trace +34600111222',
        '  switchyard trace wamid.HBgL… --workspace demo',
        '',
        'A message is found while it waits too, and after its turn has failed for good. Not by number or provider’s id:',
        '  what could not be read, whole or in part    switchyard deliveries list --workspace demo [--state dead]',
        '  what came by a route for several accounts and is not read yet',
        '                                              switchyard deliveries list --workspace operator --state stored',
      ].join('\n'),
    )
    .action((query: string, options: Options) => {
      if (query.trim() === '' || query.length > longestQuery)
        throw new WrongUse(`what to look for is 1 to ${longestQuery} characters`);
      return deps.withProduct(async (product) => {
        const workspaces =
          options.workspace === undefined
            ? await product.workspaces.list()
            : [await loadWorkspace(product, options.workspace)];
        await unpackForSearch(product);
        const found: { workspace: Workspace; trace: FoundTrace }[] = [];
        for (const workspace of workspaces) {
          const traces = await product.storage.inWorkspace(workspace.id, (tx) => product.monitoring.search(tx, query));
          found.push(...traces.map((trace) => ({ workspace, trace })));
        }
        if (found.length === 0) throw new CommandFailed(nothingBy(query, options.workspace));
        const traces = found.map(({ workspace, trace }) => ({
          workspace: workspace.slug,
          ...trace,
          at: trace.at.toISOString(),
        }));
        show(deps.output, options, { traces }, () => found.map(draw).join('\n\n'));
      });
    });
}

/** What no search can find by a number or a provider's id, and where to look for it. */
function nothingBy(query: string, workspace = '<workspace>'): string {
  const dead = `switchyard deliveries list --workspace ${printable(workspace)} --state dead`;
  return `nothing was found by ${printable(query)}; what could not be read is found by no number or id: see ${dead}`;
}

function draw({ workspace, trace }: { workspace: Workspace; trace: FoundTrace }): string {
  const hops = table(
    ['after', 'hop', 'what', 'detail'],
    trace.hops.map((hop) => [`${hop.ms} ms`, hop.isProblem ? `! ${hop.kind}` : hop.kind, hop.title, hop.detail]),
  );
  const about = [trace.customer, trace.accountName, trace.summary].filter((text) => text !== null).map(printable);
  return `${trace.id}  ${workspace.slug}  ${trace.at.toISOString()}  ${about.join('  ')}\n\n${hops}`;
}
