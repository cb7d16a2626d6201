import { type PersonId, toPublicId } from '@switchyard/contract';
import { enterWorkspace, type Tx } from '#storage';
import { appendAudit } from './audit/index.ts';
import { listMemberships } from './workspace-store.ts';

interface PersonAct {
  readonly action: string;
  readonly resource: string;
  /** Absent: the person. */
  readonly actor: string | undefined;
}

/**
 * An act on what is a person's own, in the log of each of their workspaces. Needs the person as the transaction's
 * credential. In the order of ids, so that two such acts cannot block each other.
 */
export async function auditOfPerson(
  tx: Tx,
  personId: PersonId,
  { action, resource, actor = `person ${toPublicId('person', personId)}` }: PersonAct,
): Promise<void> {
  const memberships = await listMemberships(tx, personId);
  for (const id of memberships.map(({ workspace }) => workspace.id).sort()) {
    await appendAudit(await enterWorkspace(tx, id), { actor, action, resource });
  }
}
