/**
 * The one way to the database.
 *
 * A transaction is handed out under one of the roles of design section 4, never a bare client:
 *   inWorkspace  role `app`; row-level security shows one workspace (`app.workspace` is set for this transaction only).
 *   asStranger   role `app` with no workspace: log-in, look-up of a key or a session by its hash (`app.credential`).
 *   asWorker     role `worker`: may see, lease and settle inbox, outbox and due rows of all workspaces.
 *   asGateway    role `gateway`: inserts arrivals, reads routes.
 * Each role has a pool of its own, so that a slow console cannot hold up the gateway.
 */
import type { WorkspaceId } from '@switchyard/contract';

export type Row = Record<string, unknown>;

/** `name` makes it a prepared statement. */
export interface Statement {
  readonly text: string;
  readonly values: readonly unknown[];
  readonly name: string;
}

export interface Tx {
  /**
   * One statement. `name` makes it a prepared statement: give one to whatever runs often.
   * Columns come back as named in the SQL: write `AS "camelCase"` where needed. bigint comes as string, numeric as
   * string, timestamptz as Date, bytea as Buffer, json as parsed value.
   */
  query<R extends Row = Row>(text: string, values?: readonly unknown[], name?: string): Promise<R[]>;
  /** Runs after a successful commit, never after a rollback; for doorbells, which may be lost. */
  afterCommit(ring: () => void): void;
}

/** A transaction inside one workspace. */
export interface WorkspaceTx extends Tx {
  readonly workspaceId: WorkspaceId;
}

/**
 * How a transaction's statements are planned. `as-asked`: as Postgres likes, for each value anew if need be. `by-key`: for
 * what is done thousands of times and finds its rows by their keys: plans are made once and kept, and joins go by index,
 * so that a plan which was made on a small table still serves a large one.
 */
export type Planning = 'as-asked' | 'by-key';

export interface Storage {
  /**
   * Throws StorageUnavailable when nothing took effect, CommitUnknown when it may have; the same for each of the
   * transactions below.
   */
  inWorkspace<T>(
    workspaceId: WorkspaceId,
    work: (tx: WorkspaceTx) => Promise<T>,
    /** `as-asked` where it is left out. */
    planning?: Planning,
  ): Promise<T>;
  /** `credential`: what the stranger shows, hashed (hex); policies of api_keys, person_sessions and people look at it. */
  asStranger<T>(credential: string | null, work: (tx: Tx) => Promise<T>): Promise<T>;
  asWorker<T>(work: (tx: Tx) => Promise<T>): Promise<T>;
  asGateway<T>(work: (tx: Tx) => Promise<T>): Promise<T>;
  /** One statement in a transaction of its own (autocommit), without the round trips of BEGIN and COMMIT. */
  gatewayStatement<R extends Row = Row>(text: string, values: readonly unknown[], name: string): Promise<R[]>;
  workerStatement<R extends Row = Row>(text: string, values: readonly unknown[], name: string): Promise<R[]>;
  /**
   * Several, each in a transaction of its own, one after the other on one connection and in one round trip. One that fails
   * does not keep back those after it; each tells what became of it.
   */
  workerStatements(statements: readonly Statement[]): Promise<readonly PromiseSettledResult<Row[]>[]>;
  /** How many statements have been sent, by role: tests count them. */
  readonly statements: Readonly<Record<'app' | 'worker' | 'gateway', number>>;
  close(): Promise<void>;
}

/** Thrown when the database could not be asked: the caller answers 503, or waits. Never mistaken for "not there". */
export class StorageUnavailable extends Error {
  override readonly name: string = 'StorageUnavailable';
}

/** The connection went while a transaction was being committed: nobody can say whether it took effect. */
export class CommitUnknown extends StorageUnavailable {
  override readonly name = 'CommitUnknown';
}
