import type { By } from '#workspaces';
import type { Access } from './access.ts';

/** Who acts, for doors that write the audit log and that know which role may do what to which. A key has no role. */
export function byOf({ principal, workspaceId, actor }: Access): By {
  if (principal.kind === 'key') return { actor, role: null };
  const membership = principal.memberships.find(({ workspace }) => workspace.id === workspaceId);
  return { actor, role: membership?.role ?? null };
}
