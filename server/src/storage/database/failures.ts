/** Why a database is refused at start. One line for a person; the code is stable. */
export type DatabaseRefusalCode =
  | 'unreachable'
  | 'too_old'
  | 'fsync_off'
  | 'full_page_writes_off'
  | 'synchronous_commit_off'
  | 'read_only'
  | 'cannot_create_roles'
  | 'role_is_superuser'
  | 'role_bypasses_rls'
  | 'role_owns_something'
  | 'role_is_no_member';

export class DatabaseRefused extends Error {
  override readonly name = 'DatabaseRefused';
  readonly code: DatabaseRefusalCode;
  constructor(code: DatabaseRefusalCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
