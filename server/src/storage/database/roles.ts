import { createHash, createHmac } from 'node:crypto';

/**
 * The roles that the schema's policies and grants name. They cannot log in: each database has log-ins of its own that are
 * members, so that two installations on one server do not share a password.
 */
export const roleNames = {
  app: 'switchyard_app',
  gateway: 'switchyard_gateway',
  worker: 'switchyard_worker',
} as const;

export type RoleName = keyof typeof roleNames;
export const allRoles = ['app', 'gateway', 'worker'] as const satisfies readonly RoleName[];

/** Where each role logs in. */
export type RoleUrls = Readonly<Record<RoleName, string>>;

export interface RoleOptions {
  readonly ownerUrl: string;
  /** Passwords of the log-ins are derived from it. */
  readonly secret: string;
  /** Log-ins given by the operator (DATABASE_APP_URL and so on); those are not made, nor changed. */
  readonly given?: Partial<RoleUrls>;
}

/** What `ensureRoles` comes to, for whoever takes it that it has been here before. */
export function expectedRoleUrls({ ownerUrl, secret, given = {} }: RoleOptions, database: string): RoleUrls {
  const urlOf = (role: RoleName) =>
    given[role] || urlWithLogin(ownerUrl, loginName(role, database), loginPassword(role, database, secret));
  return { app: urlOf('app'), gateway: urlOf('gateway'), worker: urlOf('worker') };
}

/** The log-in of a role for one database, such as `switchyard_app_1f0c2a9b`. */
export function loginName(role: RoleName, database: string): string {
  return `${roleNames[role]}_${createHash('sha256').update(database).digest('hex').slice(0, 8)}`;
}

/** Derived, so that every process of an installation comes to the same one and none is stored. */
export function loginPassword(role: RoleName, database: string, secret: string): string {
  return createHmac('sha256', secret).update(`database log-in\0${database}\0${role}`).digest('base64url');
}

/** A role to be made, and the statement that makes it. */
export interface RoleStatement {
  readonly name: string;
  readonly statement: string;
}

/** What an administrator runs when the owner may not create roles. */
export function roleStatements(database: string): RoleStatement[] {
  return allRoles.flatMap((role) => {
    const [group, login] = [roleNames[role], loginName(role, database)];
    return [
      { name: group, statement: `CREATE ROLE ${group} NOLOGIN;` },
      { name: login, statement: `CREATE ROLE ${login} LOGIN PASSWORD '<choose one>' IN ROLE ${group};` },
    ];
  });
}

/** The owner's URL with another log-in. */
export function urlWithLogin(ownerUrl: string, name: string, password: string): string {
  const url = new URL(ownerUrl);
  url.username = name;
  url.password = password;
  // These would win over what stands before the @.
  for (const key of ['user', 'password']) url.searchParams.delete(key);
  return url.href;
}
