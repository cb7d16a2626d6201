/** Shapes of the interface about people: sessions, second factor, members, invitations, the audit log. */
import { z } from 'zod';
import { meSchema, pageQuerySchema } from './api.ts';

const instant = z.iso.datetime();

/** From the most to the least that they may do. */
export const memberRoles = ['owner', 'admin', 'agent', 'viewer'] as const;
export type MemberRole = (typeof memberRoles)[number];
const role = z.enum(memberRoles);
const code = z.string().min(6).max(40);
const password = z.string().min(1).max(1024);
/** 32 random bytes as base64url. */
const token = z.string().regex(/^[\w-]{43}$/);
/** Made here, for the one who gets it only: its parts mean nothing outside. */
const stepToken = z.string().regex(/^[\w.-]{43,100}$/);

/** What a log-in answers: who one is, or that a code is needed, with the token that stands for the first step. */
export const loggedInSchema = z
  .union([meSchema, z.object({ step: z.literal('code'), stepToken: z.string(), expiresAt: instant })])
  .meta({ id: 'LoggedIn' });

export const logInCodeSchema = z.strictObject({ stepToken, code }).meta({ id: 'LogInCode' });

/** The password, or a code of the second factor. */
export const stepUpSchema = z
  .strictObject({ password: password.exactOptional(), code: code.exactOptional() })
  .refine((shown) => (shown.password === undefined) !== (shown.code === undefined), {
    error: 'takes a password or a code',
  })
  .meta({ id: 'StepUp' });

/** The first is shown, the second is kept. */
export const passwordChangeSchema = z
  .strictObject({ currentPassword: password, newPassword: password })
  .meta({ id: 'PasswordChange' });

export const sessionSchema = z
  .object({
    id: z.string(),
    /** The browser that asks. */
    isThis: z.boolean(),
    userAgent: z.string().nullable(),
    ip: z.string().nullable(),
    createdAt: instant,
    lastSeenAt: instant,
    expiresAt: instant,
  })
  .meta({ id: 'Session' });
export type SessionView = z.infer<typeof sessionSchema>;

export const endedSessionsSchema = z.object({ ended: z.int() }).meta({ id: 'EndedSessions' });

export const secondFactorSchema = z
  .object({ isOn: z.boolean(), since: instant.nullable(), recoveryCodesLeft: z.int() })
  .meta({ id: 'SecondFactor' });

/** For an authenticator app: as text, and as what a QR code holds. */
export const offeredFactorSchema = z.object({ secret: z.string(), uri: z.string() }).meta({ id: 'OfferedFactor' });

export const factorCodeSchema = z.strictObject({ code }).meta({ id: 'FactorCode' });

/** In this answer and nowhere else. */
export const recoveryCodesSchema = z.object({ codes: z.array(z.string()) }).meta({ id: 'RecoveryCodes' });

export const memberChangeSchema = z.strictObject({ role }).meta({ id: 'MemberChange' });

export const invitationSchema = z
  .object({
    id: z.string(),
    email: z.string(),
    role,
    state: z.enum(['open', 'accepted', 'revoked', 'expired']),
    createdAt: instant,
    expiresAt: instant,
  })
  .meta({ id: 'Invitation' });
export type InvitationView = z.infer<typeof invitationSchema>;

export const newInvitationSchema = z.strictObject({ email: z.email().max(254), role }).meta({ id: 'NewInvitation' });

/** The link is in the answer to its making, and nowhere else. */
export const madeInvitationSchema = invitationSchema
  .extend({
    link: z.string(),
    /** Was it mailed? `off`: this server sends no mail; `too-many`: this address has had several today. */
    mail: z.enum(['sent', 'failed', 'off', 'too-many']),
  })
  .meta({ id: 'MadeInvitation' });

export type MadeInvitation = z.infer<typeof madeInvitationSchema>;

export const invitationTokenSchema = z.strictObject({ token }).meta({ id: 'InvitationToken' });

export const shownInvitationSchema = z
  .object({ workspaceName: z.string(), email: z.string(), role, expiresAt: instant })
  .meta({ id: 'ShownInvitation' });

export const acceptanceSchema = z
  .strictObject({ token, name: z.string().trim().min(1).max(200), password })
  .meta({ id: 'Acceptance' });

export const auditEntrySchema = z
  .object({
    sequence: z.string(),
    at: instant,
    actor: z.string(),
    actorName: z.string().nullable(),
    action: z.string(),
    resource: z.string(),
    fields: z.record(z.string(), z.unknown()),
    hash: z.string(),
  })
  .meta({ id: 'AuditEntry' });
export type AuditEntryView = z.infer<typeof auditEntrySchema>;

export const auditQuerySchema = pageQuerySchema.extend({
  actor: z.string().max(100).exactOptional(),
  action: z.string().max(100).exactOptional(),
  /** Whole, or its kind: `account`. */
  resource: z.string().max(200).exactOptional(),
  since: instant.exactOptional(),
  until: instant.exactOptional(),
});

const anchor = z.object({ sequence: z.string(), hash: z.string() });

export const auditVerdictSchema = z
  .object({
    isWhole: z.boolean(),
    entries: z.int(),
    /** Keep it elsewhere: with it a chain that was made anew shows too. */
    head: anchor.nullable(),
    broken: z.object({ sequence: z.string(), reason: z.string() }).nullable(),
  })
  .meta({ id: 'AuditVerdict' });
export type AuditVerdictView = z.infer<typeof auditVerdictSchema>;
