import { type Clock, newId } from '#kernel';
import { type Counters, createLanes, hashToken, newToken, type Passwords, type Storage, type Tx } from '#storage';
import { comeBackSeconds, countTry, logInStepMs, maxLogInsAtOnce, sessionMaxMs } from './log-in-limits.ts';
import { hashOfStep, newStepToken } from './log-in-step.ts';
import { insertLogInStep } from './log-in-step-store.ts';
import { findForLogin, holdPassword, insertSession, replacePasswordHash } from './people-store.ts';
import { findFactor } from './second-factor/second-factor-store.ts';
import type { LoginOutcome, Person, Place, Workspaces } from './workspaces.ts';

export interface LogInDeps {
  readonly storage: Storage;
  readonly passwords: Passwords;
  readonly counters: Counters;
  readonly clock: Clock;
}

/**
 * Log-in by password. An unknown address costs as much time as a wrong password. Each log-in makes a new token, so a
 * session that was planted beforehand is worth nothing. Who has a second factor gets no session yet, only a step's token.
 *
 * So many are looked at together; a flood beyond that is turned away before it asks anything of the database, whose
 * connections the webhooks need.
 */
export function createLogIn(deps: LogInDeps): Workspaces['logIn'] {
  const line = createLanes(maxLogInsAtOnce, 0);
  let turnedAway = 0;
  const comeBack = (): LoginOutcome => {
    turnedAway += 1;
    return { kind: 'slow-down', retryAfterSeconds: comeBackSeconds[turnedAway % comeBackSeconds.length] ?? 1 };
  };
  return async (email, password, from) => {
    const outcome = await line.run(() => tryLogIn(deps, { email: email.trim().toLowerCase(), password, from }));
    return outcome === 'busy' ? comeBack() : outcome;
  };
}

interface Try {
  readonly email: string;
  readonly password: string;
  readonly from: Place;
}

async function tryLogIn(deps: LogInDeps, { email, password, from }: Try): Promise<LoginOutcome | 'busy'> {
  const { storage, passwords, clock } = deps;
  const waitMs = await countTry(deps, email, from.ip);
  if (waitMs > 0) return { kind: 'slow-down', retryAfterSeconds: Math.ceil(waitMs / 1_000) };
  const found = await storage.asStranger(null, (tx) => findForLogin(tx, email));
  const verdict = await passwords.verify(password, found?.passwordHash ?? null);
  if (verdict.kind === 'busy') return 'busy';
  if (verdict.kind !== 'match' || !found) return { kind: 'wrong' };
  const person = { ...found, passwordHash: await rehashed(deps, found, verdict.shouldRehash ? password : null) };
  const factor = await storage.asStranger(found.id, (tx) => findFactor(tx, found.id));
  if (factor?.confirmedAt) return beginStep(storage, person, clock.now());
  const begun = await storage.asStranger(null, (tx) => beginSession(tx, person, { from, now: clock.now() }));
  return begun ?? { kind: 'wrong' };
}

/** Who has shown the password of this hash. */
export type Proved = Person & { readonly passwordHash: string | null };

/** The hash that is kept from now on; a password that was changed meanwhile is not put back. */
async function rehashed({ storage, passwords }: LogInDeps, person: Proved, password: string | null) {
  const hash = password === null ? null : await passwords.hash(password);
  if (!hash?.ok) return person.passwordHash;
  const change = { from: person.passwordHash, to: hash.value };
  const isKept = await storage.asStranger(null, (tx) => replacePasswordHash(tx, person.id, change));
  return isKept ? hash.value : person.passwordHash;
}

async function beginStep(storage: Storage, person: Proved, now: Date): Promise<LoginOutcome> {
  const stepToken = newStepToken(person.id);
  const tokenHash = hashOfStep(stepToken, person.passwordHash);
  const expiresAt = new Date(now.getTime() + logInStepMs);
  const step = { tokenHash, personId: person.id, expiresAt };
  await storage.asStranger(tokenHash, (tx) => insertLogInStep(tx, step));
  return { kind: 'code-needed', stepToken, expiresAt };
}

/**
 * A new session under a new token, of which only the hash is kept. null: the password that was shown is another by now.
 * Whoever changes it at this moment waits for this transaction, and then ends the session with the others.
 */
export async function beginSession(
  tx: Tx,
  { passwordHash, ...person }: Proved,
  { from, now }: { readonly from: Place; readonly now: Date },
): Promise<Extract<LoginOutcome, { kind: 'in' }> | null> {
  if (!(await holdPassword(tx, person.id, passwordHash))) return null;
  const token = newToken();
  const expiresAt = new Date(now.getTime() + sessionMaxMs);
  const times = { provedAt: now, expiresAt };
  await insertSession(tx, {
    ...{ tokenHash: hashToken(token), id: newId('session'), personId: person.id },
    ...times,
    ...from,
  });
  return { kind: 'in', token, person, expiresAt };
}
