/** The door of people: what a person does about themselves. Sessions, second factor, showing again who they are. */
import { type Failure, type PersonId, type SessionId, toPublicId } from '@switchyard/contract';
import { type Clock, done, type Log, type Result, refused } from '#kernel';
import type { Counters, Passwords, Sealer, Storage, Tx } from '#storage';
import { auditOfPerson } from './audit-of-person.ts';
import { failure, slowDown } from './failures.ts';
import { createInvitations, type Invitations } from './invitations/index.ts';
import { beginSession } from './log-in.ts';
import { hashOfStep, personOfStep } from './log-in-step.ts';
import { findLogInStep, takeLogInStep } from './log-in-step-store.ts';
import type { Mailer } from './mail/index.ts';
import { createMembers, type Members } from './members.ts';
import { checkPassword, createOwnPasswords, type OwnPasswords } from './own-password.ts';
import { findForLogin, findPerson } from './people-store.ts';
import { createSecondFactors, type SecondFactorState, type SecondFactors } from './second-factor/index.ts';
import { listSessions, noteProof, revokeSessions, type SessionFacts } from './session-store.ts';
import type { LoginOutcome, Person, Place } from './workspaces.ts';

type Begun = Extract<LoginOutcome, { kind: 'in' }>;

/** Acts are written to the audit log of each of the person's workspaces, in their own transaction. */
export interface People extends OwnPasswords {
  readonly invitations: Invitations;
  readonly members: Members;
  /** The second step of a log-in. Refuses `log-in-over` (begin anew), `wrong-code`, `slow-down`. */
  logInByCode(stepToken: string, code: string, from: Place): Promise<Result<Begun, Failure>>;
  /** Refuses `wrong-credentials`, `wrong-code`, `slow-down`; else dangerous acts are open for `stepUpMs`. */
  stepUp(
    person: Person,
    sessionId: SessionId,
    shown: ({ readonly password: string } | { readonly code: string }) & { readonly ip: string | null },
  ): Promise<Result<void, Failure>>;
  /** The living ones, the last seen first. */
  listSessions(personId: PersonId): Promise<readonly SessionFacts[]>;
  /** False: no living session of this person. */
  revokeSession(personId: PersonId, id: SessionId): Promise<boolean>;
  /** All but this one. */
  revokeOthers(personId: PersonId, but: SessionId): Promise<readonly SessionId[]>;
  secondFactor(personId: PersonId): Promise<SecondFactorState>;
  offerSecondFactor(person: Person): ReturnType<SecondFactors['offer']>;
  confirmSecondFactor(personId: PersonId, code: string): ReturnType<SecondFactors['confirm']>;
  renewRecoveryCodes(personId: PersonId): ReturnType<SecondFactors['renewCodes']>;
  /** `actor`: the operator, for somebody who has lost it. False: there was none. */
  turnOffSecondFactor(personId: PersonId, actor?: string): Promise<boolean>;
  findByEmail(email: string): Promise<Person | null>;
}

export interface PeopleDeps {
  readonly storage: Storage;
  readonly passwords: Passwords;
  readonly counters: Counters;
  readonly sealer: Sealer;
  readonly clock: Clock;
  /** null: no mail leaves here, and links are given by hand. */
  readonly mailer: Mailer | null;
  readonly log: Log;
}

export function createPeople(deps: PeopleDeps): People {
  const { storage, clock } = deps;
  const factors = createSecondFactors(deps);
  const noted = (personId: PersonId, action: string, actor?: string) => (tx: Tx) =>
    auditOfPerson(tx, personId, {
      ...{ action, actor },
      resource: `second-factor of person ${toPublicId('person', personId)}`,
    });
  return {
    ...createOwnPasswords(deps),
    invitations: createInvitations(deps),
    members: createMembers(deps),

    async logInByCode(stepToken, code, from) {
      const personId = personOfStep(stepToken);
      const person = personId && (await storage.asStranger(null, (tx) => findPerson(tx, personId)));
      if (!person) return refused(logInOver);
      const hash = hashOfStep(stepToken, person.passwordHash);
      const now = clock.now();
      const known = await storage.asStranger(hash, (tx) => findLogInStep(tx, hash, now));
      if (known !== person.id) return refused(logInOver);
      const checked = await checkCode(factors, person.id, code);
      if (!checked.ok) return checked;
      const begun = await storage.asStranger(hash, async (tx) =>
        (await takeLogInStep(tx, hash)) ? beginSession(tx, person, { from, now }) : null,
      );
      return begun ? done(begun) : refused(logInOver);
    },

    async stepUp(person, sessionId, shown) {
      const checked =
        'code' in shown
          ? await checkCode(factors, person.id, shown.code)
          : await checkPassword(deps, person, shown.password, shown.ip);
      if (!checked.ok) return checked;
      await storage.asStranger(null, (tx) => noteProof(tx, sessionId, clock.now()));
      return done(undefined);
    },

    listSessions: (personId) => storage.asStranger(null, (tx) => listSessions(tx, personId)),
    revokeSession: async (personId, id) =>
      (await storage.asStranger(null, (tx) => revokeSessions(tx, personId, { id }))).length === 1,
    revokeOthers: (personId, but) => storage.asStranger(null, (tx) => revokeSessions(tx, personId, { but })),

    secondFactor: factors.state,
    offerSecondFactor: factors.offer,
    confirmSecondFactor: (personId, code) => factors.confirm(personId, code, noted(personId, 'turn-on')),
    renewRecoveryCodes: (personId) => factors.renewCodes(personId, noted(personId, 'renew-recovery-codes')),
    turnOffSecondFactor: (personId, actor) => factors.turnOff(personId, noted(personId, 'turn-off', actor)),
    async findByEmail(email) {
      const found = await storage.asStranger(null, (tx) => findForLogin(tx, email.trim().toLowerCase()));
      return found && withoutPassword(found);
    },
  };
}

const logInOver = failure('log-in-over', 'this log-in took too long or was finished: begin anew');
const wrongCode = failure('wrong-code', 'this is not the code of now, or it was used already');

async function checkCode(factors: SecondFactors, personId: PersonId, code: string): Promise<Result<void, Failure>> {
  const verdict = await factors.check(personId, code);
  if (verdict.kind === 'slow-down') return refused(slowDown(verdict.retryAfterSeconds * 1_000));
  return verdict.kind === 'right' ? done(undefined) : refused(wrongCode);
}

function withoutPassword({ id, email, name, isOperator }: Person): Person {
  return { id, email, name, isOperator };
}
