/** Why our own Postgres cannot be had. The message is one line for a person; the code is stable. */
export type EmbeddedFailureCode =
  | 'no_binaries'
  | 'no_os_user'
  | 'no_place'
  | 'other_major_version'
  | 'initdb_failed'
  | 'not_ours'
  | 'start_failed'
  /** Remains of the server before hold its memory or its port: a matter of moments, as a rule. */
  | 'still_held'
  | 'stop_failed';

export class EmbeddedFailure extends Error {
  override readonly name = 'EmbeddedFailure';
  readonly code: EmbeddedFailureCode;
  constructor(code: EmbeddedFailureCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
