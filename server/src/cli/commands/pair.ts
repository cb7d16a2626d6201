import { setTimeout as wait } from 'node:timers/promises';
import { qrCodeOf, qrText, toPublicId } from '@switchyard/contract';
import type { Command } from 'commander';
import type { PairingSummary } from '#accounts';
import { type CliDeps, type CliProduct, loadWorkspace } from '../deps.ts';
import { CommandFailed } from '../failures.ts';
import { type Shown, show } from '../output.ts';
import { accountHelp, chooseAccount } from '../which-account.ts';

/** How often to look for another code or for the end. */
const lookMs = 500;
/** Every so many looks the provider is asked itself: its webhooks may not reach us yet. */
const looksPerQuestion = 4;

interface PairOptions extends Shown {
  readonly workspace: string;
  readonly invert?: boolean;
  readonly wait: boolean;
}

/** `account pair` and its other name. */
export function addPair(account: Command, deps: CliDeps): void {
  account
    .command('pair <account>')
    .alias('regenerate-qr')
    .description('link a phone: draws the QR code, anew as it changes, until it is scanned')
    .requiredOption('--workspace <id or slug>', 'whose account')
    .option('--invert', 'for a terminal with a light background')
    .option('--no-wait', 'ask for the code only')
    .option('--json', 'print one JSON document, at the end')
    .addHelpText(
      'after',
      `\nThe account is ${accountHelp}. On the phone: Settings, Linked devices, Link a device.\n\nExample: switchyard account pair "Front desk" --workspace demo`,
    )
    .action((name: string, options: PairOptions) =>
      deps.withProduct(async (product) => {
        const workspace = await loadWorkspace(product, options.workspace);
        const { id } = chooseAccount(await product.accounts.list(workspace.id), name);
        const asked = await product.pairing.regenerateQr(workspace.id, id, 'cli');
        if (!asked.ok) throw new CommandFailed(asked.refusal.detail);
        await product.storage.inWorkspace(workspace.id, (tx) =>
          product.workspaces.audit(tx, {
            actor: 'cli',
            action: 'regenerate-qr',
            resource: `account ${toPublicId('account', id)}`,
          }),
        );
        const end = options.wait ? await watch(deps, product, asked.value, options) : asked.value;
        show(deps.output, options, present(end), () => (end.state === 'connected' ? 'Linked.' : 'Asked for a code.'));
      }),
    );
}

/** Draws each code as it comes. Fails when none is left. */
async function watch(
  deps: CliDeps,
  product: CliProduct,
  asked: PairingSummary,
  options: PairOptions,
): Promise<PairingSummary> {
  const { workspaceId, id } = asked.account;
  let drawn: string | null = null;
  const look = (looks: number) =>
    looks % looksPerQuestion === 0 ? product.pairing.refresh(workspaceId, id) : product.pairing.find(workspaceId, id);
  let looks = 0;
  for (let pairing = asked; ; pairing = taken(await look(looks))) {
    looks += 1;
    if (pairing.state === 'connected') return pairing;
    const text = pairing.qr?.code ?? pairing.qr?.pairingCode ?? null;
    if (text !== null && text !== drawn) deps.output.note(draw(pairing, options));
    drawn = text ?? drawn;
    const isOver = pairing.account.connectionStatus === 'disconnected' || pairing.account.connectionStatus === 'error';
    if (pairing.state === 'expired' || isOver) {
      throw new CommandFailed(pairing.account.connectionError ?? 'nobody scanned the code in time; ask again');
    }
    await wait(lookMs);
  }
}

function taken(found: Awaited<ReturnType<CliProduct['pairing']['find']>>): PairingSummary {
  if (!found.ok) throw new CommandFailed(found.refusal.detail);
  return found.value;
}

function draw({ qr }: PairingSummary, { invert = false }: PairOptions): string {
  const code = qr?.code ? qrCodeOf(qr.code) : null;
  const seconds = qr ? Math.max(0, Math.round((qr.expiresAt.getTime() - Date.now()) / 1_000)) : 0;
  const typed = qr?.pairingCode ? `Or type on the phone: ${qr.pairingCode}\n` : '';
  return `${code ? qrText(code, invert) : 'This provider gives a picture only: see the console.'}\n${typed}Good for ${seconds} seconds.`;
}

function present(pairing: PairingSummary) {
  const { account, state, codesShown } = pairing;
  return { account: { id: toPublicId('account', account.id), status: account.connectionStatus }, state, codesShown };
}
