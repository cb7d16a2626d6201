/**
 * The second factor of a person.
 *
 * There is none; or a secret was offered and no code of it shown yet (it asks for nothing); or it is confirmed, and log-in
 * asks for a code. A code is taken once: the newest step that was used is kept, and only a later one is taken. A recovery
 * code stands in for a code, once.
 */
import { randomBytes } from 'node:crypto';
import type { Failure, PersonId } from '@switchyard/contract';
import { type Clock, done, type Result, refused } from '#kernel';
import type { Counters, SealedPlace, Sealer, Storage, Tx } from '#storage';
import { failure, slowDown } from '../failures.ts';
import { toBase32 } from './base32.ts';
import { hashRecoveryCode, isRecoveryCode, newRecoveryCode, recoveryCodes } from './recovery-codes.ts';
import {
  confirmFactor,
  countRecoveryCodes,
  findFactor,
  offerFactor,
  removeFactor,
  replaceRecoveryCodes,
  takeRecoveryCode,
  takeStep,
} from './second-factor-store.ts';
import { findStep, provisioningUri, totp } from './totp.ts';

/** Codes that one person may try, whoever tries them: a million codes, three good at a time. */
export const codeLimits = {
  quarter: { tries: 10, windowMs: 15 * 60_000 },
  day: { tries: 50, windowMs: 24 * 3_600_000 },
} as const;

export interface SecondFactorState {
  readonly isOn: boolean;
  readonly since: Date | null;
  readonly recoveryCodesLeft: number;
}

export type CodeVerdict =
  | { readonly kind: 'right' | 'wrong' }
  | { readonly kind: 'slow-down'; readonly retryAfterSeconds: number };

/** Runs in the transaction of the change, with the person as its credential: the audit entries. */
export type Also = (tx: Tx) => Promise<void>;

export interface SecondFactors {
  state(personId: PersonId): Promise<SecondFactorState>;
  /** Gives a secret to be put into an app. Refuses `second-factor-exists`. */
  offer(person: {
    readonly id: PersonId;
    readonly email: string;
  }): Promise<Result<{ readonly secret: string; readonly uri: string }, Failure>>;
  /** With a first code of the offered secret it is on. Refuses `wrong-code`, `slow-down`, `second-factor-exists`, `no-second-factor`. */
  confirm(
    personId: PersonId,
    code: string,
    also: Also,
  ): Promise<Result<{ readonly codes: readonly string[] }, Failure>>;
  /** Ten new recovery codes for the old ones. Refuses `no-second-factor`. */
  renewCodes(personId: PersonId, also: Also): Promise<Result<{ readonly codes: readonly string[] }, Failure>>;
  /** False: there was none. */
  turnOff(personId: PersonId, also: Also): Promise<boolean>;
  /** A code of the app, or a recovery code. Without a confirmed factor every code is wrong. */
  check(personId: PersonId, code: string): Promise<CodeVerdict>;
}

export interface SecondFactorsDeps {
  readonly storage: Storage;
  readonly sealer: Sealer;
  readonly counters: Counters;
  readonly clock: Clock;
}

export function createSecondFactors(deps: SecondFactorsDeps): SecondFactors {
  const { storage, sealer, clock } = deps;
  return {
    state: (personId) =>
      storage.asStranger(personId, async (tx) => {
        const factor = await findFactor(tx, personId);
        const since = factor?.confirmedAt ?? null;
        return { isOn: since !== null, since, recoveryCodesLeft: since ? await countRecoveryCodes(tx, personId) : 0 };
      }),

    async offer({ id, email }) {
      const secret = randomBytes(totp.secretBytes);
      const isOffered = await storage.asStranger(id, (tx) => offerFactor(tx, id, sealer.seal(secret, placeOf(id))));
      if (!isOffered) return refused(exists);
      return done({ secret: toBase32(secret), uri: provisioningUri(secret, email) });
    },

    async confirm(personId, code, also) {
      const waitMs = await countTry(deps.counters, personId);
      if (waitMs > 0) return refused(slowDown(waitMs));
      return storage.asStranger(personId, async (tx) => {
        const factor = await findFactor(tx, personId);
        if (!factor) return refused(missing);
        if (factor.confirmedAt) return refused(exists);
        if (!(await takeCode(tx, personId, factor.secretSealed, code))) return refused(wrongCode);
        if (!(await confirmFactor(tx, personId))) return refused(exists);
        const codes = await renew(tx, personId);
        await also(tx);
        return done({ codes });
      });
    },

    renewCodes: (personId, also) =>
      storage.asStranger(personId, async (tx) => {
        if (!(await findFactor(tx, personId))?.confirmedAt) return refused(missing);
        const codes = await renew(tx, personId);
        await also(tx);
        return done({ codes });
      }),

    turnOff: (personId, also) =>
      storage.asStranger(personId, async (tx) => {
        const wasOn = await removeFactor(tx, personId);
        if (wasOn) await also(tx);
        return wasOn;
      }),

    async check(personId, code) {
      const waitMs = await countTry(deps.counters, personId);
      if (waitMs > 0) return { kind: 'slow-down', retryAfterSeconds: Math.ceil(waitMs / 1_000) };
      const isRight = await storage.asStranger(personId, async (tx) => {
        const factor = await findFactor(tx, personId);
        if (!factor?.confirmedAt) return false;
        if (isRecoveryCode(code)) return takeRecoveryCode(tx, personId, hashRecoveryCode(code));
        return takeCode(tx, personId, factor.secretSealed, code);
      });
      return { kind: isRight ? 'right' : 'wrong' };
    },
  };

  async function takeCode(tx: Tx, personId: PersonId, sealed: Buffer, code: string): Promise<boolean> {
    const step = findStep(sealer.open(sealed, placeOf(personId)), code.replaceAll(/\s/g, ''), clock.now());
    return step !== null && (await takeStep(tx, personId, step));
  }
}

const exists = failure('second-factor-exists', 'there is a second factor already; turn it off first');
const missing = failure('no-second-factor', 'there is no second factor');
const wrongCode = failure('wrong-code', 'this is not the code of now, or it was used already');

function placeOf(personId: PersonId): SealedPlace {
  return { table: 'second_factors', column: 'secret_sealed', row: personId };
}

async function renew(tx: Tx, personId: PersonId): Promise<readonly string[]> {
  const codes = Array.from({ length: recoveryCodes.count }, () => newRecoveryCode(randomBytes));
  await replaceRecoveryCodes(tx, personId, codes.map(hashRecoveryCode));
  return codes;
}

/** Counted before the code is looked at; how long to wait where that is too many, else 0. */
async function countTry(counters: Counters, personId: PersonId): Promise<number> {
  const waits = await Promise.all(
    Object.entries(codeLimits).map(async ([name, { tries, windowMs }]) => {
      const { total, remainingMs } = await counters.add(`code ${name} ${personId}`, 1, windowMs);
      return total > tries ? Math.max(1, remainingMs) : 0;
    }),
  );
  return Math.max(...waits);
}
