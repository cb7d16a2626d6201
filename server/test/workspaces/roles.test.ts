/** The table of roles: what it says, and that its page says the same. */
import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import {
  actions,
  mayByRole,
  mayHandleRole,
  mayRole,
  mayScopes,
  memberRoles,
  resources,
  rightsOfScope,
} from '#workspaces';
import { rolesFile, rolesPage } from '../support/write-roles.ts';

describe('the table of roles', () => {
  it('stands in docs/roles.md as it stands in the code', async () => {
    expect(await readFile(rolesFile, 'utf8')).toBe(rolesPage());
  });

  it('gives no role less than the one below it', () => {
    for (const resource of resources)
      for (const action of actions) {
        const may = memberRoles.map((role) => mayRole(role, resource, action));
        expect([resource, action, may]).toEqual([resource, action, [...may].sort((a, b) => Number(b) - Number(a))]);
        expect(mayByRole[resource][action]).toContain('owner');
      }
  });

  it('gives no general scope a right that only owners have', () => {
    for (const action of actions)
      for (const right of rightsOfScope(action) ?? [])
        expect(mayRole('admin', right.resource, right.action)).toBe(true);
    expect(mayScopes(['write'], 'members', 'write')).toBe(false);
  });

  it('lets only owners handle owners', () => {
    expect(memberRoles.map((actor) => mayHandleRole(actor, 'owner'))).toEqual([true, false, false, false]);
    expect(mayHandleRole(null, 'owner')).toBe(false);
    expect(mayHandleRole('admin', 'admin')).toBe(true);
  });
});
