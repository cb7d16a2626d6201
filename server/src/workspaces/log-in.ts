import type { PersonId } from '@switchyard/contract';
import { type Clock, newId } from '#kernel';
import { type Counters, createLanes, hashToken, newToken, type Passwords, type Storage } from '#storage';
import { comeBackSeconds, countTry, logInStepMs, maxLogInsAtOnce, sessionMaxMs } from './log-in-limits.ts';
import { insertLogInStep } from './log-in-step-store.ts';
import { findForLogin, insertSession, setPasswordHash } from './people-store.ts';
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
  const newHash = verdict.shouldRehash ? await passwords.hash(password) : null;
  if (newHash?.ok) await storage.asStranger(null, (tx) => setPasswordHash(tx, found.id, newHash.value));
  const factor = await storage.asStranger(found.id, (tx) => findFactor(tx, found.id));
  if (factor?.confirmedAt) return beginStep(storage, found.id, clock.now());
  return beginSession(
    storage,
    { id: found.id, email, name: found.name, isOperator: found.isOperator },
    { from, now: clock.now() },
  );
}

async function beginStep(storage: Storage, personId: PersonId, now: Date): Promise<LoginOutcome> {
  const stepToken = newToken();
  const tokenHash = hashToken(stepToken);
  const expiresAt = new Date(now.getTime() + logInStepMs);
  await storage.asStranger(tokenHash, (tx) => insertLogInStep(tx, { tokenHash, personId, expiresAt }));
  return { kind: 'code-needed', stepToken, expiresAt };
}

/** A new session under a new token, of which only the hash is kept. */
export async function beginSession(
  storage: Storage,
  person: Person,
  { from, now }: { readonly from: Place; readonly now: Date },
): Promise<Extract<LoginOutcome, { kind: 'in' }>> {
  const token = newToken();
  const expiresAt = new Date(now.getTime() + sessionMaxMs);
  const times = { provedAt: now, expiresAt };
  const session = { tokenHash: hashToken(token), id: newId('session'), personId: person.id, ...times, ...from };
  await storage.asStranger(null, (tx) => insertSession(tx, session));
  return { kind: 'in', token, person, expiresAt };
}
