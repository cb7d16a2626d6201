import type { Command } from 'commander';
import type { CliDeps, CliProduct } from '../deps.ts';
import { CommandFailed, lineOf, WrongUse } from '../failures.ts';
import { type Shown, show } from '../output.ts';
import { signedTestRequest } from '../test-request.ts';

interface Options extends Shown {
  readonly url?: string;
}

interface Tried {
  readonly account: string;
  readonly provider: string;
  readonly url: string;
  readonly status: number;
  readonly ms: number;
  readonly body: string;
}

const answerMs = 15_000;
const maxBodyShown = 500;

export function addWebhook(program: Command, deps: CliDeps): void {
  program
    .command('webhook')
    .description('try webhooks')
    .addHelpText('after', '\nExample: switchyard webhook test TOKEN')
    .command('test <token>')
    .description(
      'send a signed test delivery to the account of a token and say what came back; no reply goes out to anybody',
    )
    .option('--url <url>', 'scheme and host of the server, if it is not the one on this machine')
    .option('--json', 'print one JSON document')
    .addHelpText(
      'after',
      '\nExamples:\n  switchyard webhook test TOKEN\n  switchyard webhook test TOKEN --url https://hooks.example.com',
    )
    .action((token: string, options: Options) => {
      if (options.url !== undefined && !/^https?:\/\//.test(options.url))
        throw new WrongUse(`--url ${options.url} is not a URL like https://host`);
      return deps.withProduct(async (product) => {
        const tried = await tryWebhook(product, token, options.url);
        show(deps.output, options, tried, () => `${tried.account}: ${tried.status} in ${tried.ms} ms`);
        if (tried.status !== 200) throw new CommandFailed(`the test delivery was answered ${tried.status}`);
      });
    });
}

async function tryWebhook(product: CliProduct, token: string, url: string | undefined): Promise<Tried> {
  const { config, accounts } = product;
  const routed = await accounts.lookUp('token', token);
  if (routed.kind !== 'found') throw new CommandFailed('no account here has that token');
  const { account } = routed;
  const base = (url ?? config.localUrl).replace(/\/+$/, '');
  const path = `/webhooks/${account.provider}/${account.channel}/${encodeURIComponent(token)}`;
  // The URL is part of what Twilio signs: the server checks it as PUBLIC_URL says.
  const request = signedTestRequest(account, `${config.publicUrl ?? base}${path}`, new Date());
  const started = performance.now();
  try {
    const answer = await fetch(`${base}${path}`, {
      method: 'POST',
      headers: request.headers,
      body: request.body,
      redirect: 'manual',
      signal: AbortSignal.timeout(answerMs),
    });
    return {
      account: account.name,
      provider: account.provider,
      url: base,
      status: answer.status,
      ms: Math.round(performance.now() - started),
      body: (await answer.text()).slice(0, maxBodyShown),
    };
  } catch (error) {
    const reason = error instanceof Error && error.cause ? lineOf(error.cause) : lineOf(error);
    throw new CommandFailed(`${base} does not answer: ${reason}`);
  }
}
