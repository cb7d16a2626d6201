/** The door of workspaces: tenants, people and their roles, log-in, API keys, the audit log. */
import type {
  ApiKeyId,
  Failure,
  PersonId,
  SessionId,
  WorkspaceChange,
  WorkspaceId,
  WorkspaceLanguage,
} from '@switchyard/contract';
import type { Result } from '#kernel';
import type { WorkspaceTx } from '#storage';
import type { AuditEntry } from './audit/index.ts';
import type { MemberRole } from './roles.ts';

export interface Workspace {
  readonly id: WorkspaceId;
  readonly name: string;
  readonly slug: string;
  /** `operator`: the one that holds deliveries of app-level shared routes. */
  readonly kind: 'tenant' | 'operator';
  /** IANA name: whose days its statistics, quotas and quiet hours count. */
  readonly timeZone: string;
  /** Of the mails it sends. */
  readonly language: WorkspaceLanguage;
  readonly createdAt: Date;
}

export interface Person {
  readonly id: PersonId;
  readonly email: string;
  readonly name: string;
  readonly isOperator: boolean;
}

export interface Membership {
  readonly workspace: Workspace;
  readonly role: MemberRole;
}

/** Who asks: a person by their session, or a program by its key (bound to one workspace). */
export type Principal =
  | {
      readonly kind: 'person';
      readonly person: Person;
      readonly sessionId: SessionId;
      /** When they last showed a password or a code in this session. */
      readonly provedAt: Date;
      readonly memberships: readonly Membership[];
    }
  | {
      readonly kind: 'key';
      readonly keyId: ApiKeyId;
      readonly workspaceId: WorkspaceId;
      readonly scopes: readonly string[];
    };

export interface ApiKey {
  readonly id: ApiKeyId;
  readonly name: string;
  readonly lastFour: string;
  readonly scopes: readonly string[];
  readonly createdAt: Date;
  readonly lastUsedAt: Date | null;
  readonly expiresAt: Date | null;
  readonly revokedAt: Date | null;
}

export type EndedKey = Pick<ApiKey, 'revokedAt' | 'expiresAt'>;

/** Where a log-in comes from, for the list of sessions and for known places. */
export interface Place {
  readonly userAgent: string | null;
  readonly ip: string | null;
}

export type Member = Person & { readonly role: MemberRole };

export type LoginOutcome =
  | { readonly kind: 'in'; readonly token: string; readonly person: Person; readonly expiresAt: Date }
  | { readonly kind: 'wrong' }
  /** The password is right and there is a second factor: show the step's token with a code. */
  | { readonly kind: 'code-needed'; readonly stepToken: string; readonly expiresAt: Date }
  /** Too many tries for this address or too many log-ins at once. */
  | { readonly kind: 'slow-down'; readonly retryAfterSeconds: number };

export interface MemberPage {
  readonly after?: { readonly name: string; readonly id: PersonId } | undefined;
  readonly limit: number;
}

export interface KeyPage {
  readonly before?: ApiKeyId | undefined;
  readonly limit: number;
}

/** Acts are written to the audit log in their own transaction. */
export interface Workspaces {
  create(
    name: string,
    options?: { readonly slug?: string; readonly kind?: Workspace['kind']; readonly actor?: string },
  ): Promise<Result<Workspace, Failure>>;
  /**
   * A person's own, whose owner they are at once. Only who owns one already, or the operator, may: `forbidden`; so many and
   * no more: `too-many-workspaces`. Its slug is made of the name, with a tail where it is taken: names of others stay theirs.
   */
  createOwn(name: string, person: Extract<Principal, { kind: 'person' }>): Promise<Result<Workspace, Failure>>;
  /**
   * Name, time zone, language; what is left out stays. Refuses `workspace-not-found`, and `unknown-time-zone` for one that
   * the database does not know. Accounts carry the workspace's name: their caches are another room's to forget.
   */
  update(workspaceId: WorkspaceId, change: WorkspaceChange, actor: string): Promise<Result<Workspace, Failure>>;
  list(): Promise<readonly Workspace[]>;
  /** By id (with or without prefix) or slug. */
  find(idOrSlug: string): Promise<Workspace | null>;
  /** Makes it at the first call. */
  operatorWorkspace(): Promise<Workspace>;
  addPerson(person: {
    readonly email: string;
    readonly name: string;
    readonly password: string;
    readonly isOperator?: boolean;
  }): Promise<Result<Person, Failure>>;
  addMember(workspaceId: WorkspaceId, personId: PersonId, role: MemberRole): Promise<void>;
  /** By name. Without `page`, all. */
  listMembers(workspaceId: WorkspaceId, page?: MemberPage): Promise<readonly Member[]>;
  logIn(email: string, password: string, from: Place): Promise<LoginOutcome>;
  logOut(sessionToken: string): Promise<void>;
  /** null: nobody known, ended or revoked. */
  findBySession(sessionToken: string): Promise<Extract<Principal, { kind: 'person' }> | null>;
  /** For words to who shows a key that works no more; null: it never was one. */
  findEndedKey(apiKey: string): Promise<EndedKey | null>;
  findByKey(apiKey: string): Promise<Extract<Principal, { kind: 'key' }> | null>;
  /** Refuses `wrong-scope`, and `expiry-past` for a key that would never work. */
  createApiKey(
    workspaceId: WorkspaceId,
    key: {
      readonly name: string;
      readonly scopes: readonly string[];
      readonly expiresAt?: Date;
      readonly createdBy?: PersonId;
      /** For the audit log; `system` where nobody is named. */
      readonly actor?: string;
    },
  ): Promise<Result<{ readonly key: ApiKey; readonly secret: string }, Failure>>;
  /** The newest first. Without `page`, all. */
  listApiKeys(workspaceId: WorkspaceId, page?: KeyPage): Promise<readonly ApiKey[]>;
  revokeApiKey(workspaceId: WorkspaceId, id: ApiKeyId, actor?: string): Promise<boolean>;
  /** In the caller's transaction: what is not committed was not done, and is not in the log. */
  audit(tx: WorkspaceTx, entry: AuditEntry): Promise<void>;
}
