import { parseProvider, providers } from '@switchyard/contract';
import type { Command } from 'commander';
import type { CliDeps } from '../deps.ts';
import { CommandFailed, WrongUse } from '../failures.ts';

interface Options {
  readonly provider: string;
  readonly from: string;
  readonly to?: string;
  readonly text: string;
  readonly json?: boolean;
}

interface SimulatedNumber {
  readonly provider: string;
  readonly number: string;
}

export function addSimulate(program: Command, deps: CliDeps): void {
  program
    .command('simulate')
    .description('let a customer write to a demo number through the stand-in of its provider')
    .option('--provider <name>', providers.join(', '), 'meta')
    .option('--to <number>', 'which number of the stand-in; its first if left out')
    .option('--from <customer>', 'who writes', '+34600000001')
    .option('--text <text>', 'what they write', 'hola')
    .option('--json', 'print one JSON document')
    .addHelpText('after', '\nExample: switchyard simulate --provider twilio --from +34600111222 --text hola')
    .action(async (options: Options) => {
      const provider = parseProvider(options.provider);
      if (!provider) throw new WrongUse(`--provider ${options.provider} is not one of ${providers.join(', ')}`);
      const config = deps.readConfig();
      const control = `http://${config.host}:${config.port + 1}/control`;
      const { data: numbers } = await call<{ data: readonly SimulatedNumber[] }>(`${control}/numbers`);
      const number = numbers.find(
        (one) => one.provider === provider && (options.to === undefined || one.number === options.to),
      );
      if (!number)
        throw new CommandFailed(
          `the stand-in has no number of ${provider}${options.to ? ` called ${options.to}` : ''}`,
        );
      const result = await call(`${control}/inbound`, {
        provider,
        number: number.number,
        from: options.from,
        content: { type: 'text', text: options.text },
      });
      deps.output.result(
        options.json
          ? JSON.stringify(result)
          : `${options.from} wrote "${options.text}" to ${number.number} over ${provider}.`,
      );
    });
}

async function call<Answer>(url: string, body?: object): Promise<Answer> {
  const init = body
    ? { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }
    : {};
  const answer = await fetch(url, init).catch(() => {
    throw new CommandFailed(
      `no stand-in answers at ${new URL(url).origin}; start the server with its demo: switchyard start`,
    );
  });
  const text = await answer.text();
  if (!answer.ok) throw new CommandFailed(`the stand-in refused: ${answer.status} ${text.slice(0, 300)}`);
  return JSON.parse(text) as Answer;
}
