import type { AccountId, InboundEvent } from '@switchyard/contract';
import type { WorkspaceTx } from '#storage';
import { type ConnectionDeps, takeReport } from './connection/apply-connection.ts';
import { nameOfFact } from './health/provider-facts.ts';
import { keepMetadata, lockAccounts } from './record/account-store.ts';

export type AccountEvent = Extract<InboundEvent, { kind: 'account' }>;

const changesAccount: ReadonlySet<AccountEvent['type']> = new Set(['qr', 'template', 'quality', 'account', 'error']);

/** What an account event changes here. Contacts and their choices (`contact`, `opt`) belong to another room. */
export async function applyAccountEvent(
  deps: ConnectionDeps,
  tx: WorkspaceTx,
  accountId: AccountId,
  event: AccountEvent,
): Promise<void> {
  const fact = { at: event.occurredAt, name: event.name, facts: event.facts };
  // Before the account's row, as every change does; what changes nothing here needs no lock.
  if (changesAccount.has(event.type)) await lockAccounts(tx);
  switch (event.type) {
    case 'connection':
      await applyReport(deps, tx, accountId, event);
      return;
    case 'qr':
      await keepMetadata(tx, accountId, 'qr', { at: event.occurredAt, ...event.qr });
      return;
    case 'template':
    case 'quality':
    case 'account':
    case 'error':
      await keepMetadata(tx, accountId, nameOfFact(event.name, event.facts), fact);
      return;
    case 'opt':
    case 'contact':
    case 'call':
    case 'handover':
    case 'insight':
      return;
  }
}

async function applyReport(
  deps: ConnectionDeps,
  tx: WorkspaceTx,
  accountId: AccountId,
  event: AccountEvent,
): Promise<void> {
  if (!event.connection) return;
  await takeReport(deps, tx, accountId, {
    kind: 'report',
    status: event.connection,
    actor: 'provider',
    reason: errorOf(event),
    occurredAt: event.occurredAt === null ? null : new Date(event.occurredAt),
  });
}

function errorOf(event: AccountEvent): string | null {
  if (event.connection !== 'error' && event.connection !== 'disconnected') return null;
  const { reason, statusReason } = event.facts;
  const told = reason ?? statusReason;
  return told === undefined || told === null ? null : String(told);
}
