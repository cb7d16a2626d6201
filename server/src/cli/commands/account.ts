import { type Provider, parseProvider, providers, toPublicId } from '@switchyard/contract';
import type { Command } from 'commander';
import { commonSettings } from '#accounts';
import { loadHealth } from '#monitoring';
import { acting } from '../acting.ts';
import { type CliDeps, loadWorkspace } from '../deps.ts';
import { CommandFailed, WrongUse } from '../failures.ts';
import { type Shown, show, table } from '../output.ts';
import { addAccountActs } from './account-acts.ts';
import { collect, pairs } from './account-fields.ts';
import { addReconcile } from './account-reconcile.ts';
import { listRemoved, presentForCommand } from './account-shown.ts';
import { addPair } from './pair.ts';

interface AddOptions extends Shown {
  readonly workspace: string;
  readonly provider: string;
  readonly name?: string;
  readonly phone?: string;
  readonly setting: readonly string[];
  readonly secret: readonly string[];
  readonly active?: boolean;
}

export function addAccount(program: Command, deps: CliDeps): void {
  const account = program
    .command('account')
    .description('connected numbers and pages')
    .addHelpText('after', '\nExample: switchyard account list --workspace demo');
  addAdd(account, deps);
  addPair(account, deps);
  addList(account, deps);
  addAccountActs(account, deps);
  addReconcile(account, deps);
}

function addAdd(account: Command, deps: CliDeps): void {
  account
    .command('add')
    .description('connect an account; prints its webhook URL')
    .requiredOption('--workspace <id or slug>', 'whose account')
    .requiredOption('--provider <name>', providers.join(', '))
    .option('--name <name>', 'shown to people; the number if left out')
    .option('--phone <number>', 'E.164, for example +34600111222')
    .option('--setting <name=value>', 'a setting of the provider; may be repeated', collect, [])
    .option('--secret <name=value>', 'a secret of the provider; may be repeated', collect, [])
    .option('--active', 'serve it at once')
    .option('--json', 'print one JSON document')
    .addHelpText(
      'after',
      () =>
        `\n${fieldHelp(deps)}\n\nExample: switchyard account add --workspace demo --provider meta --phone +34600111222 \\\n    --setting phoneNumberId=1065… --secret accessToken=EAAG… --secret appSecret=… --active`,
    )
    .action((options: AddOptions) => {
      const provider = parseProvider(options.provider);
      if (!provider) throw new WrongUse(`--provider ${options.provider} is not one of ${providers.join(', ')}`);
      const wanted = {
        provider,
        ...(options.name === undefined ? {} : { name: options.name }),
        ...(options.phone === undefined ? {} : { phoneNumber: options.phone }),
        settings: pairs(options.setting),
        secrets: pairs(options.secret),
        isActive: options.active ?? false,
      };
      return deps.withProduct(async (product) => {
        const workspace = await loadWorkspace(product, options.workspace);
        const made = await acting(product, 'create').create(workspace.id, wanted);
        if (!made.ok) throw new CommandFailed(made.refusal.detail);
        const { account: added, token, webhookUrl } = made.value;
        show(
          deps.output,
          options,
          { account: presentForCommand(added), token, webhookUrl },
          () => `Added ${added.name} (${toPublicId('account', added.id)}).\nWebhook: ${webhookUrl}`,
        );
      });
    });
}

interface ListOptions extends Shown {
  readonly workspace: string;
  readonly removed?: boolean;
}

function addList(account: Command, deps: CliDeps): void {
  account
    .command('list')
    .description('accounts of a workspace: primary ones first, then the newest')
    .requiredOption('--workspace <id or slug>', 'whose accounts')
    .option('--removed', 'those that were removed, and may be restored')
    .option('--json', 'print one JSON document')
    .addHelpText('after', '\nExample: switchyard account list --workspace demo --json')
    .action((options: ListOptions) =>
      deps.withProduct(async (product) => {
        const { id } = await loadWorkspace(product, options.workspace);
        const found = options.removed ? await listRemoved(product, id) : await product.accounts.list(id);
        const health = await product.storage.inWorkspace(id, (tx) => loadHealth(tx, found, new Date()));
        const accounts = found.map((one) => ({ ...presentForCommand(one), health: health.get(one.id)?.score ?? 0 }));
        show(deps.output, options, { accounts }, () => (accounts.length === 0 ? noneYet(options) : draw(accounts)));
      }),
    );
}

function noneYet({ removed }: ListOptions): string {
  return removed ? 'No account has been removed.' : 'No account yet. Connect one: switchyard account add --help';
}

type Listed = ReturnType<typeof presentForCommand> & { readonly health: number };

function draw(accounts: readonly Listed[]): string {
  return table(
    ['id', 'provider', 'name', 'phone', 'status', 'health', 'webhook', 'primary', 'active'],
    accounts.map((one) => [
      one.id,
      one.provider,
      one.name,
      one.phoneDisplay,
      one.status,
      one.health,
      one.webhookStatus,
      one.isPrimary ? 'yes' : '',
      one.isActive ? 'yes' : 'no',
    ]),
  );
}

function fieldHelp(deps: CliDeps): string {
  const line = (provider: Provider) => {
    const { settings, secrets } = deps.channels[provider].fields;
    const names = (fields: readonly { name: string; isRequired: boolean }[]) =>
      fields.map((field) => (field.isRequired ? field.name : `[${field.name}]`)).join(' ');
    return `  ${provider}: settings ${names([...settings, ...commonSettings])}; secrets ${names(secrets)}`;
  };
  return `Fields by provider ([optional]):\n${providers.map(line).join('\n')}`;
}
