import type { AccountId, InboundEvent } from '@switchyard/contract';
import type { WorkspaceTx } from '#storage';
import { keepMetadata, setConnection } from './account-store.ts';

export type AccountEvent = Extract<InboundEvent, { kind: 'account' }>;

/** What an account event changes here. Contacts and their choices (`contact`, `opt`) belong to another room. */
export async function applyAccountEvent(tx: WorkspaceTx, accountId: AccountId, event: AccountEvent): Promise<void> {
  const fact = { at: event.occurredAt, name: event.name, facts: event.facts };
  switch (event.type) {
    case 'connection':
      if (event.connection) await setConnection(tx, accountId, event.connection, errorOf(event));
      return;
    case 'qr':
      await keepMetadata(tx, accountId, 'qr', { at: event.occurredAt, ...event.qr });
      return;
    case 'template':
    case 'quality':
    case 'account':
    case 'error':
      await keepMetadata(tx, accountId, event.name, fact);
      return;
    case 'opt':
    case 'contact':
    case 'call':
    case 'handover':
    case 'insight':
      return;
  }
}

function errorOf(event: AccountEvent): string | null {
  if (event.connection !== 'error' && event.connection !== 'disconnected') return null;
  const { reason, statusReason } = event.facts;
  const told = reason ?? statusReason;
  return told === undefined || told === null ? null : String(told);
}
