import { toPublicId, type WorkspaceId } from '@switchyard/contract';
import { mayScopes } from '#workspaces';
import { countRouting } from './account-route.ts';
import { answers, textAnswer } from './answers.ts';
import { destinationOf, store } from './deliver.ts';
import { answer, type Exchange, guardedAsync, isRefusedByHead, withBody } from './exchange.ts';
import { peekGraphIds } from './peek-ids.ts';
import { findAccount } from './shared-route.ts';

/**
 * `POST /api/whatsapp/webhook-test`: a Meta body without a signature, let in by an API key instead. Goes to the key's own
 * workspace only, and is marked as a test, so that no reply is sent out.
 */
export function serveTestRoute(exchange: Exchange): void {
  if (exchange.req.method !== 'POST') {
    answer(exchange, answers.wrongMethod);
    return;
  }
  if (isRefusedByHead(exchange)) return;
  withBody(exchange, (body) => guardedAsync(exchange, serve(exchange, body)));
}

async function serve(exchange: Exchange, body: Buffer): Promise<void> {
  const key = /^bearer\s+(\S+)$/i.exec(exchange.req.headers.authorization ?? '')?.[1];
  const holder = key ? await exchange.deps.authenticateKey(key) : null;
  if (!holder) {
    answer(exchange, answers.wrongKey);
    return;
  }
  if (!mayScopes(holder.scopes, 'deliveries', 'write')) {
    answer(exchange, answers.keyMayNot);
    return;
  }
  const found = await findTestAccount(exchange, holder.workspaceId, body);
  if (!found) {
    answer(exchange, answers.unknown);
    return;
  }
  countRouting(exchange, found.kind, found.account, found.outcome);
  const destination = { ...destinationOf(found.account, found.kind, exchange.req.url ?? ''), isTest: true };
  const told = JSON.stringify({ success: true, accountId: toPublicId('account', found.account.accountId) });
  store(exchange, destination, true, body, textAnswer(200, 'application/json', told));
}

/** By phone_number_id; where metadata is missing by the entry's id, be it the business account's or the number's. */
async function findTestAccount(exchange: Exchange, workspaceId: WorkspaceId, body: Buffer) {
  for (const { kind, value } of peekGraphIds(body, 'meta')) {
    for (const asked of kind === 'waba_id' ? (['waba_id', 'phone_number_id'] as const) : ([kind] as const)) {
      const found = await findAccount(exchange, asked, value);
      if (found?.account.workspaceId === workspaceId && found.account.provider === 'meta') return found;
    }
  }
  return null;
}
