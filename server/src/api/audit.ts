import { type AccountId, toPublicId } from '@switchyard/contract';
import type { Access } from './access.ts';
import type { ApiDeps } from './deps.ts';

/** What was done to an account, once it is done. `fields` holds names, and values only where they are no secret. */
export function auditAccount(
  deps: Pick<ApiDeps, 'storage' | 'workspaces'>,
  access: Access,
  act: { readonly action: string; readonly id: AccountId; readonly fields?: Readonly<Record<string, unknown>> },
): Promise<void> {
  const resource = `account ${toPublicId('account', act.id)}`;
  const entry = { actor: access.actor, action: act.action, resource, ...(act.fields ? { fields: act.fields } : {}) };
  return deps.storage.inWorkspace(access.workspaceId, (tx) => deps.workspaces.audit(tx, entry));
}
