/**
 * Who may do what: one table of resource and action. A person's role in a workspace and an API key's scopes are both
 * looked up here, and every route of the interface names its row. `docs/roles.md` is written from it.
 */
import { type MemberRole, memberRoles } from '@switchyard/contract';

export { type MemberRole, memberRoles };

export const resources = [
  'workspace',
  'members',
  'api-keys',
  'accounts',
  'tokens',
  'deliveries',
  'contacts',
  'conversations',
  'messages',
  'flows',
  'catalogue',
  'audit',
  'migrations',
  'monitoring',
  'privacy',
] as const;
export type Resource = (typeof resources)[number];
export const actions = ['read', 'write'] as const;
export type Action = (typeof actions)[number];

const everyone = ['owner', 'admin', 'agent', 'viewer'] as const;
const staff = ['owner', 'admin', 'agent'] as const;
const admins = ['owner', 'admin'] as const;
const owners = ['owner'] as const;

export const mayByRole = {
  workspace: { read: everyone, write: owners },
  members: { read: admins, write: admins },
  'api-keys': { read: admins, write: admins },
  accounts: { read: everyone, write: admins },
  tokens: { read: admins, write: admins },
  deliveries: { read: staff, write: admins },
  contacts: { read: everyone, write: staff },
  conversations: { read: everyone, write: staff },
  messages: { read: everyone, write: staff },
  flows: { read: everyone, write: admins },
  catalogue: { read: everyone, write: staff },
  audit: { read: admins, write: owners },
  migrations: { read: admins, write: owners },
  monitoring: { read: everyone, write: admins },
  /** Export and erasure of a person, and how long raw records are kept. */
  privacy: { read: admins, write: admins },
} as const satisfies Record<Resource, Record<Action, readonly MemberRole[]>>;

/**
 * Scopes of an API key: `read` and `write` for everything but what is named after a colon only (`tokens:read`), or one
 * resource's action (`messages:write`). `write` does not include `read`.
 */
export function isScope(text: string): boolean {
  const [first = '', second] = text.split(':');
  if (second === undefined) return first === 'read' || first === 'write';
  return resources.some((resource) => resource === first) && (second === 'read' || second === 'write');
}

/**
 * What no general scope gives: these must be named. Whatever only owners may write is among them, so that `write` is
 * never more than the admin has who makes the key.
 */
const namedOnly: Readonly<Record<Action, ReadonlySet<Resource>>> = {
  read: new Set(['tokens', 'api-keys', 'members', 'audit', 'migrations', 'privacy']),
  write: new Set(['tokens', 'api-keys', 'members', 'audit', 'migrations', 'workspace', 'privacy']),
};

export function mayRole(role: MemberRole, resource: Resource, action: Action): boolean {
  const allowed: readonly MemberRole[] = mayByRole[resource][action];
  return allowed.includes(role);
}

export function mayScopes(scopes: readonly string[], resource: Resource, action: Action): boolean {
  if (scopes.includes(`${resource}:${action}`)) return true;
  return !namedOnly[action].has(resource) && scopes.includes(action);
}

/** What a scope gives; null when it is none. */
export function rightsOfScope(
  scope: string,
): readonly { readonly resource: Resource; readonly action: Action }[] | null {
  if (!isScope(scope)) return null;
  return resources.flatMap((resource) =>
    actions.filter((action) => mayScopes([scope], resource, action)).map((action) => ({ resource, action })),
  );
}

/** Only an owner makes owners, and only an owner changes or removes one: else an admin could take the workspace. */
export function mayHandleRole(actor: MemberRole | null, role: MemberRole): boolean {
  return role !== 'owner' || actor === 'owner';
}

/** The table as people read it, for `docs/roles.md`. */
export function rolesAsMarkdown(): string {
  const cell = (resource: Resource, action: Action) => mayByRole[resource][action].join(', ');
  const scope = (resource: Resource, action: Action) =>
    mayScopes([action], resource, action) ? `\`${action}\`` : `\`${resource}:${action}\` only`;
  const rows = resources.map(
    (resource) =>
      `| ${resource} | ${cell(resource, 'read')} | ${scope(resource, 'read')} | ${cell(resource, 'write')} | ${scope(resource, 'write')} |`,
  );
  return [
    '| resource | may read | general scope | may write | general scope |',
    '| --- | --- | --- | --- | --- |',
    ...rows,
  ].join('\n');
}
