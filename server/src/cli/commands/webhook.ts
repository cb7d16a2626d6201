import type { Command } from 'commander';
import type { CliDeps } from '../deps.ts';
import { CommandFailed } from '../failures.ts';
import { signedTestRequest } from '../test-request.ts';

export function addWebhook(program: Command, deps: CliDeps): void {
  program
    .command('webhook')
    .description('try webhooks')
    .command('test <token>')
    .description(
      'send a signed test delivery to the account of a token and say what came back; no reply goes out to anybody',
    )
    .option('--url <url>', 'where the server is, if not on this machine', '')
    .option('--json', 'print one JSON document')
    .action((token: string, options: { url: string; json?: boolean }) =>
      deps.withProduct(async (product) => {
        const routed = await product.accounts.route('token', token);
        if (routed.kind !== 'found') throw new CommandFailed('no account here has that token');
        const base = (options.url || `http://${product.config.host}:${product.config.port}`).replace(/\/+$/, '');
        const publicUrl = product.config.publicUrl ?? base;
        const path = `/webhooks/${routed.account.provider}/${routed.account.channel}/${encodeURIComponent(token)}`;
        const request = signedTestRequest(routed.account, `${publicUrl}${path}`, new Date());
        const started = performance.now();
        const answer = await fetch(`${base}${path}`, {
          method: 'POST',
          headers: request.headers,
          body: request.body,
          redirect: 'error',
        }).catch((error: unknown) => {
          throw new CommandFailed(
            `${base} does not answer: ${error instanceof Error ? String(error.cause ?? error.message) : String(error)}`,
          );
        });
        const result = {
          account: routed.account.name,
          provider: routed.account.provider,
          status: answer.status,
          ms: Math.round(performance.now() - started),
          body: (await answer.text()).slice(0, 500),
        };
        deps.output.result(
          options.json ? JSON.stringify(result) : `${result.account}: ${result.status} in ${result.ms} ms`,
        );
        if (answer.status !== 200) throw new CommandFailed(`the test delivery was answered ${answer.status}`);
      }),
    );
}
