import { type Clock, newId } from '#kernel';
import { type Counters, hashToken, newToken, type Passwords, type Storage, sha256Hex } from '#storage';
import { findForLogin, insertSession, setPasswordHash } from './people-store.ts';
import type { Person, Workspaces } from './workspaces.ts';

export const sessionIdleMs = 12 * 3_600_000;
export const sessionMaxMs = 30 * 24 * 3_600_000;
/** Tries per address and window; the right password too is refused beyond it, so guessing gains nothing. */
export const logInLimit = { tries: 10, windowMs: 5 * 60_000 } as const;

/**
 * Log-in by password. An unknown address costs as much time as a wrong password. Each log-in makes a new token, so a
 * session that was planted beforehand is worth nothing.
 */
export function createLogIn(deps: {
  readonly storage: Storage;
  readonly passwords: Passwords;
  readonly counters: Counters;
  readonly clock: Clock;
}): Workspaces['logIn'] {
  const { storage, passwords, counters, clock } = deps;
  return async (givenEmail, password, from) => {
    const email = givenEmail.trim().toLowerCase();
    const tries = await counters.add(`log-in ${sha256Hex(email)}`, 1, logInLimit.windowMs);
    if (tries.total > logInLimit.tries)
      return { kind: 'slow-down', retryAfterSeconds: Math.ceil(tries.remainingMs / 1_000) };
    const found = await storage.asStranger(null, (tx) => findForLogin(tx, email));
    const verdict = await passwords.verify(password, found?.passwordHash ?? null);
    if (verdict.kind === 'busy') return { kind: 'slow-down', retryAfterSeconds: 1 };
    if (verdict.kind !== 'match' || !found) return { kind: 'wrong' };
    const newHash = verdict.shouldRehash ? await passwords.hash(password) : null;
    const token = newToken();
    const expiresAt = new Date(clock.now().getTime() + sessionMaxMs);
    await storage.asStranger(null, async (tx) => {
      if (newHash?.ok) await setPasswordHash(tx, found.id, newHash.value);
      await insertSession(tx, {
        tokenHash: hashToken(token),
        id: newId('person'),
        personId: found.id,
        expiresAt,
        ...from,
      });
    });
    const person: Person = { id: found.id, email: found.email, name: found.name, isOperator: found.isOperator };
    return { kind: 'in', token, person, expiresAt };
  };
}
