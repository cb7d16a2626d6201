import { type AccountId, toPublicId } from '@switchyard/contract';
import type { AccountActs } from '#accounts';
import { type AuditEntry, appendAudit, type Facts } from '#workspaces';
import type { Access } from './access.ts';
import type { ApiDeps } from './deps.ts';

interface Act {
  readonly action: string;
  /** Names, and values only where they are no secret. */
  readonly fields?: Facts;
}

/** The accounts' acts, each with its entry in the audit log, in one transaction. */
export function actingOn(deps: Pick<ApiDeps, 'accounts'>, access: Access, act: Act): AccountActs {
  return deps.accounts.alongside((tx, id) => appendAudit(tx, entryOf(access, id, act)));
}

/** For what changes nothing and is written down all the same, such as a look at a secret: before it is shown. */
export function auditAccount(
  deps: Pick<ApiDeps, 'storage'>,
  access: Access,
  { id, ...act }: Act & { readonly id: AccountId },
): Promise<void> {
  return deps.storage.inWorkspace(access.workspaceId, (tx) => appendAudit(tx, entryOf(access, id, act)));
}

function entryOf(access: Access, id: AccountId, act: Act): AuditEntry {
  return { ...act, actor: access.actor, resource: `account ${toPublicId('account', id)}` };
}
