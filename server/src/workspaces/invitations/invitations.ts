/**
 * Invitations into a workspace.
 *
 * One is open until it is accepted, revoked, replaced by a newer one to the same address, or its time is over. Its link
 * holds a token of 256 random bits that is shown once; only the hash is kept. Whoever shows it may join under the
 * invited address: a new person chooses a password, a known one shows theirs. Sent again it has a new link and its whole
 * time before it; the link before ends.
 */
import { type Failure, type InvitationId, toPublicId, type WorkspaceId } from '@switchyard/contract';
import { type Clock, done, type Log, newId, type Result, refused } from '#kernel';
import {
  type Counters,
  enterWorkspace,
  hashToken,
  newToken,
  type Passwords,
  type Storage,
  sha256Hex,
  type Tx,
} from '#storage';
import { appendAudit } from '../audit/index.ts';
import { failure, slowDown } from '../failures.ts';
import { countTry } from '../log-in-limits.ts';
import type { Mailer } from '../mail/index.ts';
import { insertMember, isMemberByEmail } from '../member-store.ts';
import { hashNewPassword } from '../new-password.ts';
import { findForLogin, insertPerson } from '../people-store.ts';
import { type MemberRole, mayHandleRole } from '../roles.ts';
import { findWorkspace } from '../workspace-store.ts';
import type { Person, Workspace } from '../workspaces.ts';
import { invitationMail } from './invitation-mail.ts';
import {
  countOpenInvitations,
  findInvitation,
  findInvitationByToken,
  insertInvitation,
  listInvitations,
  lockInvitation,
  markAccepted,
  renewInvitation,
  revokeInvitation,
} from './invitation-store.ts';

export const invitationLimits = {
  maxOpen: 200,
  validMs: 7 * 24 * 3_600_000,
  /** Mails to one address from one workspace: an invitation is no way to flood somebody. */
  mails: 5,
  mailsWindowMs: 24 * 3_600_000,
} as const;

/** `off`: no server of mail is set, or no public address to link to. */
export type InvitationMailed = 'sent' | 'failed' | 'off' | 'too-many';

export interface Invitation {
  readonly id: InvitationId;
  readonly email: string;
  readonly role: MemberRole;
  readonly invitedBy: string;
  readonly createdAt: Date;
  readonly expiresAt: Date;
  readonly acceptedAt: Date | null;
  readonly revokedAt: Date | null;
}

/** Who acts, for the audit log and for the rule that only owners handle owners; null: a key, which has no role. */
export interface By {
  readonly actor: string;
  readonly role: MemberRole | null;
}

export interface Invitations {
  /** Refuses `forbidden`, `already-member`, `too-many-invitations`. The token is in this answer and nowhere else. */
  create(
    workspaceId: WorkspaceId,
    invitation: { readonly email: string; readonly role: MemberRole },
    by: By,
  ): Promise<Result<{ readonly invitation: Invitation; readonly token: string }, Failure>>;
  /** A new link, and its whole time anew. Refuses `forbidden`, `invitation-not-found`, `invitation-over`. */
  renew(
    workspaceId: WorkspaceId,
    id: InvitationId,
    by: By,
  ): Promise<Result<{ readonly invitation: Invitation; readonly token: string }, Failure>>;
  /** Mails the link, after the commit of what made it. Never throws: the link was shown all the same. */
  mail(workspaceId: WorkspaceId, invitation: Invitation, link: string): Promise<InvitationMailed>;
  list(
    workspaceId: WorkspaceId,
    page: { readonly before?: InvitationId | undefined; readonly limit: number },
  ): Promise<readonly Invitation[]>;
  /** False: there is none open of this id. */
  revoke(workspaceId: WorkspaceId, id: InvitationId, by: By): Promise<boolean>;
  /** What the link's holder is told before they join. Refuses `invitation-over`, with the state. */
  look(token: string): Promise<Result<{ readonly invitation: Invitation; readonly workspace: Workspace }, Failure>>;
  /**
   * Joins. Refuses `invitation-over`, `wrong-credentials` (the address is known and this is not its password),
   * `weak-password`, `slow-down`. Begins no session: that is log-in's, with its second factor.
   */
  accept(
    token: string,
    person: { readonly name: string; readonly password: string; readonly ip: string | null },
  ): Promise<Result<{ readonly person: Person; readonly workspaceId: WorkspaceId }, Failure>>;
}

export interface InvitationsDeps {
  readonly storage: Storage;
  readonly passwords: Passwords;
  readonly counters: Counters;
  readonly clock: Clock;
  readonly mailer: Mailer | null;
  readonly log: Log;
}

export function createInvitations(deps: InvitationsDeps): Invitations {
  const { storage, clock } = deps;
  return {
    async create(workspaceId, { email: given, role }, by) {
      if (!mayHandleRole(by.role, role)) return refused(ownersOnly);
      const email = given.trim().toLowerCase();
      const token = newToken();
      const now = clock.now();
      return storage.inWorkspace(workspaceId, async (tx) => {
        if (await isMemberByEmail(tx, email)) return refused(alreadyMember);
        if ((await countOpenInvitations(tx, now)) >= invitationLimits.maxOpen) return refused(tooMany);
        const invitation = await insertInvitation(tx, {
          ...{ id: newId('invitation'), email, role, tokenHash: hashToken(token), invitedBy: by.actor },
          expiresAt: new Date(now.getTime() + invitationLimits.validMs),
        });
        await appendAudit(tx, {
          actor: by.actor,
          action: 'create',
          resource: nameOf(invitation),
          after: { email, role },
        });
        return done({ invitation, token });
      });
    },

    list: (workspaceId, page) => storage.inWorkspace(workspaceId, (tx) => listInvitations(tx, page)),

    revoke: (workspaceId, id, by) =>
      storage.inWorkspace(workspaceId, async (tx) => {
        const revoked = await revokeInvitation(tx, id);
        if (revoked) await appendAudit(tx, { actor: by.actor, action: 'revoke', resource: nameOf(revoked) });
        return revoked !== null;
      }),

    async renew(workspaceId, id, by) {
      const token = newToken();
      const expiresAt = new Date(clock.now().getTime() + invitationLimits.validMs);
      return storage.inWorkspace(workspaceId, async (tx) => {
        const before = await findInvitation(tx, id);
        if (!before) return refused(noInvitation);
        if (!mayHandleRole(by.role, before.role)) return refused(ownersOnly);
        if (await isMemberByEmail(tx, before.email)) return refused(alreadyMember);
        const invitation = await renewInvitation(tx, id, { tokenHash: hashToken(token), expiresAt });
        if (!invitation) return refused(overIn(stateOf(before, clock.now())));
        await appendAudit(tx, { actor: by.actor, action: 'renew', resource: nameOf(invitation) });
        return done({ invitation, token });
      });
    },

    mail: (workspaceId, invitation, link) => mailInvitation(deps, workspaceId, { invitation, link }),

    async look(token) {
      const found = await findByToken(token);
      if (!found.ok) return found;
      const workspace = await findWorkspace(storage, { id: found.value.workspaceId });
      return workspace ? done({ invitation: found.value, workspace }) : refused(overIn('unknown'));
    },

    async accept(token, given) {
      const found = await findByToken(token);
      if (!found.ok) return found;
      const invitation = found.value;
      const who = await identify(deps, invitation.email, given);
      if (!who.ok) return who;
      return storage.asStranger(hashToken(token), async (tx) => {
        const inside = await enterWorkspace(tx, invitation.workspaceId);
        if (!(await lockInvitation(inside, invitation.id, hashToken(token)))) return refused(overIn('unknown'));
        const person = await who.value(tx);
        // Made by another invitation a moment ago: asked again, the person is known.
        if (!person) return refused(slowDown(1_000));
        await markAccepted(inside, invitation.id);
        await insertMember(inside, person.id, invitation.role);
        const actor = `person ${toPublicId('person', person.id)}`;
        await appendAudit(inside, {
          ...{ actor, action: 'accept', resource: nameOf(invitation) },
          fields: { role: invitation.role },
        });
        return done({ person, workspaceId: invitation.workspaceId });
      });
    },
  };

  async function findByToken(token: string) {
    const hash = hashToken(token);
    const found = await storage.asStranger(hash, (tx) => findInvitationByToken(tx, hash));
    const state = found ? stateOf(found, clock.now()) : 'unknown';
    return found && state === 'open' ? done(found) : refused(overIn(state));
  }
}

const ownersOnly = failure('forbidden', 'only an owner makes, changes or removes an owner');
const alreadyMember = failure('already-member', 'this person is a member already');
const tooMany = failure('too-many-invitations', `a workspace has at most ${invitationLimits.maxOpen} open invitations`);
const noInvitation = failure('invitation-not-found', 'there is no such invitation');

export type InvitationState = 'open' | 'accepted' | 'revoked' | 'expired';

export function stateOf({ acceptedAt, revokedAt, expiresAt }: Invitation, now: Date): InvitationState {
  if (acceptedAt) return 'accepted';
  if (revokedAt) return 'revoked';
  return expiresAt > now ? 'open' : 'expired';
}

const overWords = {
  open: 'this invitation is open',
  accepted: 'this invitation was used: log in',
  revoked: 'this invitation was taken back, or a newer one has replaced it',
  expired: 'the time of this invitation is over: ask for it to be sent again',
  unknown: 'this link is none of an invitation, or a newer link has replaced it',
} as const satisfies Record<InvitationState | 'unknown', string>;

function overIn(state: keyof typeof overWords): Failure {
  return { ...failure('invitation-over', overWords[state]), state };
}

const wrongPassword = failure('wrong-credentials', 'this address is known here, and this is not its password');

const nameOf = ({ id }: Pick<Invitation, 'id'>) => `invitation ${toPublicId('invitation', id)}`;

async function mailInvitation(
  { mailer, counters, storage, log }: InvitationsDeps,
  workspaceId: WorkspaceId,
  { invitation, link }: { readonly invitation: Invitation; readonly link: string },
): Promise<InvitationMailed> {
  if (!mailer) return 'off';
  const { email, role, expiresAt } = invitation;
  try {
    const { mails, mailsWindowMs } = invitationLimits;
    const { total } = await counters.add(`invitation-mail ${workspaceId} ${sha256Hex(email)}`, 1, mailsWindowMs);
    if (total > mails) return 'too-many';
    const workspace = await findWorkspace(storage, { id: workspaceId });
    if (!workspace) return 'failed';
    await mailer.send(email, invitationMail({ workspace, role, expiresAt, link }));
    return 'sent';
  } catch (error) {
    log.warn({ error: String(error), invitationId: invitation.id }, 'an invitation could not be mailed');
    return 'failed';
  }
}

/** The person who joins: known by their password, or made in the transaction of the joining. */
async function identify(
  deps: InvitationsDeps,
  email: string,
  given: { readonly name: string; readonly password: string; readonly ip: string | null },
): Promise<Result<(tx: Tx) => Promise<Person | null>, Failure>> {
  const known = await deps.storage.asStranger(null, (tx) => findForLogin(tx, email));
  if (!known) return newcomer(deps, { email, name: given.name.trim(), password: given.password });
  const waitMs = await countTry(deps, email, given.ip);
  if (waitMs > 0) return refused(slowDown(waitMs));
  const verdict = await deps.passwords.verify(given.password, known.passwordHash);
  if (verdict.kind === 'busy') return refused(slowDown(1_000));
  if (verdict.kind !== 'match') return refused(wrongPassword);
  const { passwordHash, ...person } = known;
  return done(async () => person);
}

async function newcomer(
  { passwords }: InvitationsDeps,
  { email, name, password }: { readonly email: string; readonly name: string; readonly password: string },
): Promise<Result<(tx: Tx) => Promise<Person | null>, Failure>> {
  const hash = await hashNewPassword(passwords, password);
  if (!hash.ok) return hash.refusal.code === 'busy' ? refused(slowDown(1_000)) : hash;
  return done((tx) => insertPerson(tx, { id: newId('person'), email, name, isOperator: false }, hash.value));
}
