/** Changes of who belongs to a workspace and as what. A workspace keeps an owner, whoever leaves at the same moment. */
import { type Failure, type PersonId, type SessionId, toPublicId, type WorkspaceId } from '@switchyard/contract';
import { done, type Result, refused } from '#kernel';
import type { Storage, WorkspaceTx } from '#storage';
import { appendAudit } from './audit/index.ts';
import { failure } from './failures.ts';
import type { By } from './invitations/index.ts';
import { deleteMember, lockMember, lockOwners, setRole } from './member-store.ts';
import { type MemberRole, mayHandleRole } from './roles.ts';
import { listSessions } from './session-store.ts';

export interface Members {
  /** Refuses `member-not-found`, `forbidden` (only owners handle owners), `last-owner`. */
  changeRole(workspaceId: WorkspaceId, personId: PersonId, role: MemberRole, by: By): Promise<Result<void, Failure>>;
  /** The same refusals. Gives the person's living sessions, whose streams end. */
  remove(workspaceId: WorkspaceId, personId: PersonId, by: By): Promise<Result<readonly SessionId[], Failure>>;
}

export function createMembers({ storage }: { readonly storage: Storage }): Members {
  return {
    changeRole: (workspaceId, personId, role, by) =>
      storage.inWorkspace(workspaceId, async (tx) => {
        const before = await checkChange(tx, personId, { by, role });
        if (!before.ok) return before;
        if (before.value === role) return done(undefined);
        await setRole(tx, personId, role);
        await appendAudit(tx, {
          ...entryOf(by, 'change-role', personId),
          before: { role: before.value },
          after: { role },
        });
        return done(undefined);
      }),

    remove: (workspaceId, personId, by) =>
      storage.inWorkspace(workspaceId, async (tx) => {
        const before = await checkChange(tx, personId, { by, role: null });
        if (!before.ok) return before;
        await deleteMember(tx, personId);
        const sessions = await listSessions(tx, personId);
        await appendAudit(tx, { ...entryOf(by, 'remove', personId), before: { role: before.value } });
        return done(sessions.map(({ id }) => id));
      }),
  };
}

/** The role the member has now, if it may become `role` (null: none). Locks the owners, then the member. */
async function checkChange(
  tx: WorkspaceTx,
  personId: PersonId,
  { by, role }: { readonly by: By; readonly role: MemberRole | null },
): Promise<Result<MemberRole, Failure>> {
  const owners = await lockOwners(tx);
  const before = await lockMember(tx, personId);
  if (!before) return refused(missing);
  if (!mayHandleRole(by.role, before) || (role && !mayHandleRole(by.role, role))) return refused(ownersOnly);
  const isLast = owners.length === 1 && owners[0] === personId;
  return isLast && role !== 'owner' ? refused(lastOwner) : done(before);
}

const missing = failure('member-not-found', 'there is no such member');
const ownersOnly = failure('forbidden', 'only an owner makes, changes or removes an owner');
const lastOwner = failure('last-owner', 'a workspace keeps at least one owner: make another one first');

function entryOf(by: By, action: string, personId: PersonId) {
  return { actor: by.actor, action, resource: `member ${toPublicId('person', personId)}` };
}
