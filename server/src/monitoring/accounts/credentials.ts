/**
 * Accounts whose provider refuses their credentials: they are in `error`, so that what they should send waits instead of
 * failing one by one. New credentials, or a person's reconnect, let it go.
 */
import type { WorkspaceId } from '@switchyard/contract';
import type { Accounts } from '#accounts';
import type { Clock } from '#kernel';
import type { Storage } from '#storage';
import { findRefusedCredentials } from './credentials-store.ts';

export const credentialLimits = {
  /** So many in a row: one may be a slip of the provider's. */
  run: 3,
  backMs: 3_600_000,
  /** As the channels call it (`channels/…/errors.ts`). */
  codes: ['credentials-refused', 'token-invalid'],
} as const;

export interface CredentialDeps {
  readonly storage: Pick<Storage, 'inWorkspace'>;
  readonly accounts: Pick<Accounts, 'applyConnection'>;
  readonly clock: Clock;
}

export function watchCredentials(
  { storage, accounts, clock }: CredentialDeps,
  workspaceId: WorkspaceId,
): Promise<void> {
  const { codes, run, backMs } = credentialLimits;
  const since = new Date(clock.now().getTime() - backMs);
  return storage.inWorkspace(workspaceId, async (tx) => {
    for (const { accountId, detail } of await findRefusedCredentials(tx, { codes, run, since })) {
      const reason = `the provider refuses the credentials: ${detail}`;
      await accounts.applyConnection(tx, accountId, { kind: 'report', status: 'error', actor: 'monitoring', reason });
    }
  });
}
