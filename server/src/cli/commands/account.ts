import { type Provider, parseProvider, providers, toPublicId } from '@switchyard/contract';
import type { Command } from 'commander';
import type { AccountSummary } from '#accounts';
import { type CliDeps, loadWorkspace } from '../deps.ts';
import { CommandFailed, WrongUse } from '../failures.ts';
import { type Shown, show, table } from '../output.ts';
import { addReconcile } from './account-reconcile.ts';

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
  addList(account, deps);
  addReconcile(account, deps);
}

function addAdd(account: Command, deps: CliDeps): void {
  account
    .command('add')
    .description('connect an account; prints its webhook URL')
    .requiredOption('--workspace <id or slug>', 'whose account')
    .requiredOption('--provider <name>', providers.join(', '))
    .option('--name <name>', 'shown to people; the provider’s name if left out')
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
        const made = await product.accounts.create(workspace.id, wanted);
        if (!made.ok) throw new CommandFailed(made.refusal.detail);
        const { account: added, token, webhookUrl } = made.value;
        await product.storage.inWorkspace(workspace.id, (tx) =>
          product.workspaces.audit(tx, { actor: 'cli', action: 'create', resource: `account ${added.id}` }),
        );
        show(
          deps.output,
          options,
          { account: present(added), token, webhookUrl },
          () => `Added ${added.name} (${toPublicId('account', added.id)}).\nWebhook: ${webhookUrl}`,
        );
      });
    });
}

function addList(account: Command, deps: CliDeps): void {
  account
    .command('list')
    .description('accounts of a workspace')
    .requiredOption('--workspace <id or slug>', 'whose accounts')
    .option('--json', 'print one JSON document')
    .addHelpText('after', '\nExample: switchyard account list --workspace demo --json')
    .action((options: Shown & { workspace: string }) =>
      deps.withProduct(async (product) => {
        const workspace = await loadWorkspace(product, options.workspace);
        const accounts = (await product.accounts.list(workspace.id)).map(present);
        show(deps.output, options, { accounts }, () =>
          accounts.length === 0 ? 'No account yet. Connect one: switchyard account add --help' : draw(accounts),
        );
      }),
    );
}

function draw(accounts: readonly ReturnType<typeof present>[]): string {
  return table(
    ['id', 'provider', 'name', 'phone', 'status', 'webhook', 'primary', 'active'],
    accounts.map((one) => [
      one.id,
      one.provider,
      one.name,
      one.phoneNumber,
      one.status,
      one.webhookStatus,
      one.isPrimary ? 'yes' : '',
      one.isActive ? 'yes' : 'no',
    ]),
  );
}

function collect(value: string, before: readonly string[]): readonly string[] {
  return [...before, value];
}

function pairs(texts: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    texts.map((text) => {
      const at = text.indexOf('=');
      if (at <= 0) throw new WrongUse(`"${text.slice(0, 20)}" is not name=value`);
      return [text.slice(0, at), text.slice(at + 1)];
    }),
  );
}

function fieldHelp(deps: CliDeps): string {
  const line = (provider: Provider) => {
    const { settings, secrets } = deps.channels[provider].fields;
    const names = (fields: readonly { name: string; isRequired: boolean }[]) =>
      fields.map((field) => (field.isRequired ? field.name : `[${field.name}]`)).join(' ');
    return `  ${provider}: settings ${names(settings)}; secrets ${names(secrets)}`;
  };
  return `Fields by provider ([optional]):\n${providers.map(line).join('\n')}`;
}

function present(account: AccountSummary) {
  return {
    id: toPublicId('account', account.id),
    workspaceId: toPublicId('workspace', account.workspaceId),
    provider: account.provider,
    channel: account.channel,
    name: account.name,
    phoneNumber: account.phoneNumber,
    status: account.connectionStatus,
    webhookStatus: account.webhookStatus,
    isPrimary: account.isPrimary,
    isActive: account.isActive,
  };
}
