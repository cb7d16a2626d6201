/**
 * A new password: by its person, who shows the one they have, or by the operator for somebody who has lost theirs.
 *
 * Whoever knew the old one is out: all other sessions end in the same transaction.
 */
import { type Failure, type PersonId, type SessionId, toPublicId } from '@switchyard/contract';
import { done, type Result, refused } from '#kernel';
import { type Counters, newToken, type Passwords, type Storage, type Tx } from '#storage';
import { auditOfPerson } from './audit-of-person.ts';
import { failure, slowDown } from './failures.ts';
import { countTry } from './log-in-limits.ts';
import { hashNewPassword } from './new-password.ts';
import { findForLogin, findPerson, replacePasswordHash } from './people-store.ts';
import { revokeSessions } from './session-store.ts';
import type { Person } from './workspaces.ts';

export interface OwnPasswordDeps {
  readonly storage: Storage;
  readonly passwords: Passwords;
  readonly counters: Counters;
}

export interface PasswordChange {
  readonly current: string;
  readonly next: string;
  readonly ip: string | null;
}

export interface OwnPasswords {
  /**
   * Gives the sessions that ended: all but `sessionId`. Refuses `wrong-credentials`, `same-password`, `weak-password`,
   * `slow-down`: tries are counted with those of log-ins.
   */
  changePassword(
    person: Person,
    sessionId: SessionId,
    change: PasswordChange,
  ): Promise<Result<readonly SessionId[], Failure>>;
  /** The operator's act: a password of 128 random bits, in this answer and nowhere else. null: there is nobody such. */
  resetPassword(
    email: string,
    actor: string,
  ): Promise<Result<{ readonly person: Person; readonly password: string }, Failure> | null>;
}

export function createOwnPasswords(deps: OwnPasswordDeps): OwnPasswords {
  const { storage, passwords } = deps;
  return {
    async changePassword(person, sessionId, { current, next, ip }) {
      const checked = await checkPassword(deps, person, current, ip);
      if (!checked.ok) return checked;
      if (current === next) return refused(samePassword);
      const hash = await hashNewPassword(passwords, next);
      if (!hash.ok) return hash.refusal.code === 'busy' ? refused(slowDown(1_000)) : hash;
      const replacing = { personId: person.id, from: checked.value, to: hash.value, but: sessionId };
      const ended = await storage.asStranger(person.id, (tx) => replace(tx, replacing, 'change-password'));
      return ended ? done(ended) : refused(wrongPassword);
    },

    async resetPassword(email, actor) {
      const found = await storage.asStranger(null, (tx) => findForLogin(tx, email.trim().toLowerCase()));
      if (!found) return null;
      const { passwordHash, ...person } = found;
      const password = newToken().slice(0, 22);
      const hash = await hashNewPassword(passwords, password);
      if (!hash.ok) return hash;
      const replacing = { personId: person.id, from: passwordHash, to: hash.value, but: null };
      const ended = await storage.asStranger(person.id, (tx) => replace(tx, replacing, 'reset-password', actor));
      return ended ? done({ person, password }) : refused(changedMeanwhile);
    },
  };
}

const samePassword = failure('same-password', 'this is the password that you have');
const wrongPassword = failure('wrong-credentials', 'this is not your password');
const changedMeanwhile = failure('changed-meanwhile', 'the password was changed at this moment: ask again');

interface Replacing {
  readonly personId: PersonId;
  /** Only if this is still the one: of two changes at once one is refused. */
  readonly from: string | null;
  readonly to: string;
  readonly but: SessionId | null;
}

async function replace(
  tx: Tx,
  { personId, from, to, but }: Replacing,
  action: string,
  actor?: string,
): Promise<readonly SessionId[] | null> {
  if (!(await replacePasswordHash(tx, personId, { from, to }))) return null;
  const ended = await revokeSessions(tx, personId, { but });
  await auditOfPerson(tx, personId, { action, actor, resource: `person ${toPublicId('person', personId)}` });
  return ended;
}

/** Gives the hash that it fits. Refuses `wrong-credentials` and `slow-down`. */
export async function checkPassword(
  deps: OwnPasswordDeps,
  person: Person,
  password: string,
  ip: string | null,
): Promise<Result<string | null, Failure>> {
  const waitMs = await countTry(deps, person.email, ip);
  if (waitMs > 0) return refused(slowDown(waitMs));
  const found = await deps.storage.asStranger(null, (tx) => findPerson(tx, person.id));
  const verdict = await deps.passwords.verify(password, found?.passwordHash ?? null);
  if (verdict.kind === 'busy') return refused(slowDown(1_000));
  return verdict.kind === 'match' ? done(found?.passwordHash ?? null) : refused(wrongPassword);
}
