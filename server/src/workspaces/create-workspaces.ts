import { type ApiKeyId, type Failure, type PersonId, parseId, toPublicId } from '@switchyard/contract';
import { type Clock, done, newId, type Result, refused } from '#kernel';
import { type Counters, hashToken, newToken, type Passwords, type Storage, type WorkspaceTx } from '#storage';
import { findEndedKey, findKey, insertApiKey, listApiKeys, noteUse, revokeApiKey } from './api-key-store.ts';
import { appendAudit, type Facts } from './audit/index.ts';
import { failure } from './failures.ts';
import { createLogIn } from './log-in.ts';
import { sessionIdleMs } from './log-in-limits.ts';
import { hashNewPassword } from './new-password.ts';
import { findSession, insertPerson, revokeSession } from './people-store.ts';
import { isScope } from './roles.ts';
import {
  findWorkspace,
  insertWorkspace,
  knowsTimeZone,
  listMembers,
  listMemberships,
  listWorkspaces,
  lockWorkspace,
  updateWorkspace,
  upsertMember,
} from './workspace-store.ts';
import type { Person, Workspace, Workspaces } from './workspaces.ts';

export interface WorkspacesDeps {
  readonly storage: Storage;
  readonly passwords: Passwords;
  readonly counters: Counters;
  readonly clock: Clock;
}

/** Workspaces of one person: each costs rows and caches for as long as it is there. */
const maxOwnWorkspaces = 50;

type CreateOptions = NonNullable<Parameters<Workspaces['create']>[1]> & { readonly owner?: PersonId };

/** `swy_` and 256 random bits; only its SHA-256 is kept. */
const keyPrefix = 'swy_';

export function createWorkspaces(deps: WorkspacesDeps): Workspaces {
  const { storage, passwords } = deps;
  const create = async (name: string, options: CreateOptions = {}): Promise<Result<Workspace, Failure>> => {
    const slug = options.slug ?? slugOf(name);
    if (!/^[a-z0-9][a-z0-9-]{0,62}$/.test(slug))
      return refused(failure('wrong-slug', `"${slug}" is not a slug: letters a-z, digits and -`));
    const id = newId('workspace');
    const made = await storage.inWorkspace(id, async (tx) => {
      const workspace = await insertWorkspace(tx, { name: name.trim(), slug, kind: options.kind ?? 'tenant' });
      if (workspace && options.owner) await upsertMember(tx, options.owner, 'owner');
      if (workspace) await audit(tx, options.actor, 'create', `workspace ${toPublicId('workspace', id)}`, { slug });
      return workspace;
    });
    return made ? done(made) : refused(failure('slug-taken', `there is a workspace "${slug}" already`));
  };
  return {
    create,
    async createOwn(name, { person, memberships }) {
      const owned = memberships.filter(({ role }) => role === 'owner').length;
      if (owned === 0 && !person.isOperator)
        return refused(failure('forbidden', 'only who owns a workspace already makes another'));
      if (owned >= maxOwnWorkspaces)
        return refused(failure('too-many-workspaces', `a person owns at most ${maxOwnWorkspaces} workspaces`));
      const wish = { owner: person.id, actor: `person ${toPublicId('person', person.id)}` };
      const made = await create(name, wish);
      if (made.ok || made.refusal.code !== 'slug-taken') return made;
      return create(name, {
        ...wish,
        slug: `${slugOf(name).slice(0, 50)}-${newToken()
          .toLowerCase()
          .replace(/[^a-z0-9]/g, '')
          .slice(0, 6)}`,
      });
    },
    update: (workspaceId, change, actor) =>
      storage.inWorkspace(workspaceId, async (tx) => {
        const before = await lockWorkspace(tx);
        if (!before) return refused(noWorkspace);
        if (change.timeZone !== undefined && !(await knowsTimeZone(tx, change.timeZone)))
          return refused(failure('unknown-time-zone', `the database does not know the time zone ${change.timeZone}`));
        const after = await updateWorkspace(tx, change);
        await appendAudit(tx, {
          ...{ actor, action: 'update', resource: `workspace ${toPublicId('workspace', workspaceId)}` },
          ...{ before: settingsOf(before), after: settingsOf(after) },
        });
        return done(after);
      }),
    list: () => listWorkspaces(storage),
    async find(idOrSlug) {
      const id = parseId('workspace', idOrSlug);
      return findWorkspace(storage, id ? { id } : { slug: idOrSlug });
    },
    async operatorWorkspace() {
      const found = await findWorkspace(storage, { kind: 'operator' });
      if (found) return found;
      const made = await create('Operator', { slug: 'operator', kind: 'operator' });
      if (made.ok) return made.value;
      const other = await findWorkspace(storage, { slug: 'operator' });
      if (!other) throw new Error('the operator workspace could neither be made nor found');
      return other;
    },
    async addPerson(person) {
      const hash = await hashNewPassword(passwords, person.password);
      if (!hash.ok) return hash;
      const row: Person = {
        id: newId('person'),
        email: person.email.trim().toLowerCase(),
        name: person.name.trim(),
        isOperator: person.isOperator ?? false,
      };
      const made = await storage.asStranger(null, (tx) => insertPerson(tx, row, hash.value));
      return made ? done(made) : refused(failure('email-taken', `there is a person with ${row.email} already`));
    },
    addMember: (workspaceId, personId, role) =>
      storage.inWorkspace(workspaceId, (tx) => upsertMember(tx, personId, role)),
    listMembers: (workspaceId, page) => storage.inWorkspace(workspaceId, (tx) => listMembers(tx, page)),
    logIn: createLogIn(deps),
    logOut: (token) => storage.asStranger(null, (tx) => revokeSession(tx, hashToken(token))),
    async findBySession(token) {
      const found = await storage.asStranger(null, (tx) => findSession(tx, hashToken(token), sessionIdleMs));
      if (!found) return null;
      const memberships = await storage.asStranger(found.id, (tx) => listMemberships(tx, found.id));
      const { sessionId, provedAt, ...person } = found;
      return {
        kind: 'person',
        sessionId,
        provedAt,
        memberships,
        person: { id: person.id, email: person.email, name: person.name, isOperator: person.isOperator },
      };
    },
    async findByKey(apiKey) {
      if (!apiKey.startsWith(keyPrefix)) return null;
      const hash = hashToken(apiKey);
      const found = await storage.asStranger(hash, (tx) => findKey(tx, hash));
      if (!found) return null;
      if (found.isStale) await storage.inWorkspace(found.workspaceId, (tx) => noteUse(tx, found.id));
      return { kind: 'key', keyId: found.id, workspaceId: found.workspaceId, scopes: found.scopes };
    },
    async findEndedKey(apiKey) {
      if (!apiKey.startsWith(keyPrefix)) return null;
      const hash = hashToken(apiKey);
      return storage.asStranger(hash, (tx) => findEndedKey(tx, hash));
    },
    async createApiKey(workspaceId, key) {
      const wrong = key.scopes.find((scope) => !isScope(scope));
      if (wrong !== undefined || key.scopes.length === 0)
        return refused(
          failure('wrong-scope', `"${wrong ?? ''}" is not a scope: read, write, or RESOURCE:read, RESOURCE:write`),
        );
      if (key.expiresAt && key.expiresAt <= deps.clock.now()) return refused(expiryPast);
      const secret = `${keyPrefix}${newToken()}`;
      const { name, scopes, expiresAt = null, createdBy = null } = key;
      const made = await storage.inWorkspace(workspaceId, async (tx) => {
        const row = { id: newId('apiKey'), keyHash: hashToken(secret), lastFour: secret.slice(-4) };
        const inserted = await insertApiKey(tx, { ...row, name, scopes, expiresAt, createdBy });
        await audit(tx, key.actor, 'create', apiKeyName(inserted.id), { scopes, expiresAt });
        return inserted;
      });
      return done({ key: made, secret });
    },
    listApiKeys: (workspaceId, page) => storage.inWorkspace(workspaceId, (tx) => listApiKeys(tx, page)),
    revokeApiKey: (workspaceId, id, actor) =>
      storage.inWorkspace(workspaceId, async (tx) => {
        const isRevoked = await revokeApiKey(tx, id);
        if (isRevoked) await audit(tx, actor, 'revoke', apiKeyName(id), {});
        return isRevoked;
      }),
    audit: appendAudit,
  };
}

const expiryPast = failure('expiry-past', 'expiresAt is not in the future: this key would never work');
const noWorkspace = failure('workspace-not-found', 'there is no such workspace');

const settingsOf = ({ name, timeZone, language }: Workspace): Facts => ({ name, timeZone, language });

function slugOf(name: string): string {
  return (
    name
      .normalize('NFKD')
      .replace(/\p{M}/gu, '')
      .toLowerCase()
      .replace(/[^a-z0-9]+/g, '-')
      .replace(/^-+|-+$/g, '')
      .slice(0, 60) || 'workspace'
  );
}

const apiKeyName = (id: ApiKeyId) => `api-key ${toPublicId('apiKey', id)}`;

function audit(tx: WorkspaceTx, actor = 'system', action: string, resource: string, fields: Facts): Promise<void> {
  return appendAudit(tx, { actor, action, resource, fields });
}
