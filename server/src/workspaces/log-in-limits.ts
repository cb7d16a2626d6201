/** How long sessions last, and how often one may try to begin one. */
import { type Counters, type Storage, sha256Hex } from '#storage';
import { wasHere } from './people-store.ts';

export const sessionIdleMs = 12 * 3_600_000;
export const sessionMaxMs = 30 * 24 * 3_600_000;
/** An ended session is kept so long, for it says which places a person is known at. */
export const sessionKeptMs = 30 * 24 * 3_600_000;
/** Between the password and the code. */
export const logInStepMs = 5 * 60_000;
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

/** Log-ins that are looked at together. One more is told to come back, before it costs the database or a hash anything. */
export const maxLogInsAtOnce = 64;
/** Those who are told to come back are told different seconds, so that they do not all come back at once. */
export const comeBackSeconds = [1, 2, 3, 4, 5] as const;

/** Counts this try everywhere it counts; how long to wait where that is too many, else 0. */
export async function countTry(
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
  // In turn: a try that is refused where it comes from does not count against the address from everywhere else.
  const here = await over('addressFromPlace', `${address} ${place}`);
  if (here > 0) return here;
  const anywhere = await over('place', place);
  if (anywhere > 0) return anywhere;
  const everywhere = await over('address', address);
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
