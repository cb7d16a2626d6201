import { type Provider, parseProvider, providers } from '@switchyard/contract';
import type { Command } from 'commander';
import type { CliDeps } from '../deps.ts';
import { CommandFailed, WrongUse } from '../failures.ts';
import { type Shown, show, table } from '../output.ts';
import { contentOf, contentOptions, type Said } from '../said.ts';

interface Options extends Shown, Said {
  readonly provider?: string;
  readonly from?: string;
  readonly to?: string;
  readonly name?: string;
  readonly replyTo?: string;
}

interface SimulatedNumber {
  readonly provider: string;
  readonly number: string;
  readonly name: string;
  readonly connection: string;
}

interface Acted {
  readonly messageId: string;
  readonly outcome: 'posted' | 'held' | 'no_webhook';
  readonly status?: number | null;
  readonly error?: string | null;
}

const defaultCustomer: Readonly<Record<Provider, string>> = {
  meta: '+34600000001',
  twilio: '+34600000001',
  evolution: '+34600000001',
  webjs: '+34600000001',
  instagram: '9000000000000001',
};

export function addSimulate(program: Command, deps: CliDeps): void {
  const command = program
    .command('simulate')
    .description(
      'let a customer write to a demo number through the stand-in of its provider; alone it lists the numbers',
    )
    .option('--provider <name>', `${providers.join(', ')} (default: meta)`)
    .option('--to <number>', 'which number of the stand-in; its first of the provider if left out')
    .option('--from <customer>', 'who writes')
    .option('--name <name>', 'the customer’s profile name')
    .option('--reply-to <message id>', 'the message answered to');
  for (const [flags, description] of contentOptions) command.option(flags, description);
  command
    .option('--json', 'print one JSON document')
    .addHelpText(
      'after',
      `
Examples:
  switchyard simulate
  switchyard simulate --provider twilio --from +34600111222 --text hola
  switchyard simulate --provider meta --button menu:products=Products
  switchyard simulate --provider evolution --location 40.4168,-3.7038
  switchyard simulate --content '{"type":"order","items":[{"productId":"A-1","quantity":2,"price":9.5,"currency":"EUR"}]}'`,
    )
    .action(async (options: Options) => {
      const isAlone = Object.keys(options).every((name) => name === 'json');
      const control = controlUrl(deps);
      if (isAlone) return listNumbers(deps, options, control);
      return act(deps, options, control);
    });
}

function controlUrl(deps: CliDeps): string {
  const url = new URL(deps.readConfig().localUrl);
  url.port = String(deps.readConfig().port + 1);
  return `${url.origin}/control`;
}

async function listNumbers(deps: CliDeps, options: Shown, control: string): Promise<void> {
  const numbers = (await numbersOf(control)).map(({ provider, number, name, connection }) => ({
    provider,
    number,
    name,
    connection,
  }));
  show(deps.output, options, { numbers }, () =>
    table(
      ['provider', 'number', 'name', 'connection'],
      numbers.map((one) => [one.provider, one.number, one.name, one.connection]),
    ),
  );
}

async function act(deps: CliDeps, options: Options, control: string): Promise<void> {
  const provider = parseProvider(options.provider ?? 'meta');
  if (!provider) throw new WrongUse(`--provider ${options.provider} is not one of ${providers.join(', ')}`);
  const content = contentOf(options);
  const number = await chooseNumber(control, provider, options.to);
  const from = options.from ?? defaultCustomer[provider];
  const acted = await call<Acted>(`${control}/inbound`, {
    provider,
    number,
    from,
    content,
    ...(options.name === undefined ? {} : { profileName: options.name }),
    ...(options.replyTo === undefined ? {} : { replyTo: options.replyTo }),
  });
  show(deps.output, options, { provider, number, from, ...acted }, () =>
    `${from} sent ${content.type} to ${number} over ${provider}: ${acted.outcome} ${acted.status ?? ''}`.trimEnd(),
  );
  const isTaken = acted.outcome !== 'posted' || (acted.status !== null && Math.floor((acted.status ?? 0) / 100) === 2);
  if (!isTaken) throw new CommandFailed(`the webhook was answered ${acted.status ?? acted.error ?? 'not at all'}`);
}

async function chooseNumber(control: string, provider: Provider, wanted: string | undefined): Promise<string> {
  const ofProvider = (await numbersOf(control)).filter((one) => one.provider === provider);
  const chosen = ofProvider.find(({ number }) => wanted === undefined || number === wanted);
  if (chosen) return chosen.number;
  const known = ofProvider.map(({ number }) => number).join(', ') || 'none';
  throw new CommandFailed(
    `the stand-in of ${provider} has no number ${wanted ?? ''}; it has ${known}`.replace('  ', ' '),
  );
}

async function numbersOf(control: string): Promise<readonly SimulatedNumber[]> {
  return (await call<{ data: readonly SimulatedNumber[] }>(`${control}/numbers`)).data;
}

const answerMs = 30_000;

async function call<Answer>(url: string, body?: object): Promise<Answer> {
  const init = body
    ? { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }
    : {};
  const answer = await fetch(url, { ...init, signal: AbortSignal.timeout(answerMs) }).catch(() => {
    throw new CommandFailed(
      `no stand-in answers at ${new URL(url).origin}; start the server with its demo: switchyard start`,
    );
  });
  const text = await answer.text();
  const parsed = parseJson(text) as (Answer & { readonly error?: { readonly message?: string } }) | null;
  if (parsed === null) throw new CommandFailed(`no stand-in answers at ${new URL(url).origin}, but another program`);
  if (!answer.ok) throw new CommandFailed(`the stand-in refused: ${parsed.error?.message ?? answer.status}`);
  return parsed;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // Not our stand-in: the caller says so.
    return null;
  }
}
