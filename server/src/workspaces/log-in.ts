import { type Clock, newId } from '#kernel';
import { type Counters, hashToken, newToken, type Passwords, type Storage, sha256Hex } from '#storage';
import { findForLogin, insertSession, setPasswordHash, wasHere } from './people-store.ts';
import type { Person, Workspaces } from './workspaces.ts';

export const sessionIdleMs = 12 * 3_600_000;
export const sessionMaxMs = 30 * 24 * 3_600_000;
/** How long a shown password or code opens dangerous acts. */
export const stepUpMs = 10 * 60_000;
/**
 * Tries to log in, counted before the password is looked at, so that beyond a limit guessing gains nothing.
 *
 * One address from one place is slowed down soon. One place that tries many addresses is slowed down later. One address
 * from many places is slowed down too, but not where its person has logged in before: otherwise anybody could lock
 * anybody out.
 */
export const logInLimits = {
  addressFromPlace: { tries: 10, windowMs: 5 * 60_000 },
  place: { tries: 100, windowMs: 5 * 60_000 },
  address: { tries: 100, windowMs: 60 * 60_000 },
} as const;
export type LogInLimitName = keyof typeof logInLimits;

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
  const { storage, passwords, clock } = deps;
  return async (givenEmail, password, from) => {
    const email = givenEmail.trim().toLowerCase();
    const waitMs = await countTry(deps, email, from.ip);
    if (waitMs > 0) return { kind: 'slow-down', retryAfterSeconds: Math.ceil(waitMs / 1_000) };
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

/** Counts this try everywhere it counts; how long to wait where that is too many, else 0. */
async function countTry(
  { counters, storage }: { readonly counters: Counters; readonly storage: Storage },
  email: string,
  ip: string | null,
): Promise<number> {
  const place = placeOf(ip);
  const address = sha256Hex(email);
  const over = async (limit: LogInLimitName, who: string) => {
    const { tries, windowMs } = logInLimits[limit];
    const { total, remainingMs } = await counters.add(`log-in ${limit} ${who}`, 1, windowMs);
    return total > tries ? Math.max(1, remainingMs) : 0;
  };
  const [here, anywhere, everywhere] = await Promise.all([
    over('addressFromPlace', `${address} ${place}`),
    over('place', place),
    over('address', address),
  ]);
  if (here > 0 || anywhere > 0) return Math.max(here, anywhere);
  const isKnownPlace =
    everywhere > 0 && ip !== null && (await storage.asStranger(null, (tx) => wasHere(tx, email, ip)));
  return isKnownPlace ? 0 : everywhere;
}

/** An IPv6 customer has a /64 at the least: its addresses are one place. */
function placeOf(ip: string | null): string {
  if (ip === null) return 'nowhere';
  if (!ip.includes(':') || ip.startsWith('::ffff:')) return ip;
  return ip.split('::')[0]?.split(':').slice(0, 4).join(':') || ip;
}
