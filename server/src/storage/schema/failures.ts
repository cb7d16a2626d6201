/** Why the schema cannot be used or changed. One line for a person; the code is stable. */
export type SchemaFailureCode =
  | 'newer_schema'
  | 'not_our_schema'
  | 'unknown_migration'
  | 'migration_failed'
  | 'missing_roles';

export class SchemaFailure extends Error {
  override readonly name = 'SchemaFailure';
  readonly code: SchemaFailureCode;
  constructor(code: SchemaFailureCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
