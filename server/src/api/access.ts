/**
 * Who asks, and what they may do: from a request to a principal, a workspace and the right to act in it.
 *
 * Programs show a key as a bearer token. Browsers show a session cookie; such a request must also come from our own
 * pages. The cookie alone would prove nothing: a browser sends it along for other sites too.
 */
import { parseId, toPublicId, type WorkspaceId } from '@switchyard/contract';
import type { FastifyRequest } from 'fastify';
import '@fastify/cookie';
import {
  type Action,
  type EndedKey,
  type Membership,
  mayRole,
  mayScopes,
  type Principal,
  type Resource,
  type Workspaces,
} from '#workspaces';
import { checkOrigin } from './origin.ts';
import { ProblemError } from './problem.ts';

export const sessionCookie = '__Host-switchyard';
/** Over plain http on loopback a browser refuses the `__Host-` prefix, which needs `Secure`. */
export const loopbackCookie = 'switchyard';
export const workspaceHeader = 'x-switchyard-workspace';

export interface Access {
  readonly principal: Principal;
  readonly workspaceId: WorkspaceId;
  /** For the audit log. */
  readonly actor: string;
}

export interface Need {
  readonly resource: Resource;
  readonly action: Action;
}

/** Throws `unauthenticated` for nobody, `key-ended` for a key that works no more, `wrong-origin` for a browser on another site. */
export async function authenticate(
  request: FastifyRequest,
  workspaces: Workspaces,
  publicUrl: string | undefined,
): Promise<Principal> {
  const principal = await findPrincipal(request, workspaces, publicUrl);
  if (principal) return principal;
  const key = bearerOf(request);
  const ended = key ? await workspaces.findEndedKey(key) : null;
  if (ended) throw new ProblemError('key-ended', wordsOfEnd(ended));
  throw new ProblemError('unauthenticated', 'log in, or send an API key as a bearer token');
}

function wordsOfEnd({ revokedAt, expiresAt }: EndedKey): string {
  const end = revokedAt ? `was revoked at ${revokedAt.toISOString()}` : `ended at ${expiresAt?.toISOString()}`;
  return `this API key ${end}: make another one`;
}

function bearerOf({ headers }: FastifyRequest): string | undefined {
  return /^Bearer (\S+)$/i.exec(headers.authorization ?? '')?.[1];
}

async function findPrincipal(request: FastifyRequest, workspaces: Workspaces, publicUrl: string | undefined) {
  if (request.headers.authorization !== undefined) {
    const key = bearerOf(request);
    return key ? workspaces.findByKey(key) : null;
  }
  const token = sessionToken(request);
  if (!token) return null;
  checkOrigin(request, publicUrl);
  return workspaces.findBySession(token);
}

export function sessionToken(request: FastifyRequest): string | undefined {
  return request.cookies[sessionCookie] ?? request.cookies[loopbackCookie];
}

/** For the audit log, rate limits and idempotency keys. */
export function actorOf(principal: Principal): string {
  return principal.kind === 'key'
    ? `key ${toPublicId('apiKey', principal.keyId)}`
    : `person ${toPublicId('person', principal.person.id)}`;
}

/**
 * The workspace that is meant: a key's own, or the one a person names in the header (in the query for event streams,
 * which cannot send headers), or their first. Another's answers like a missing one.
 */
export function accessTo(request: FastifyRequest, principal: Principal): Access {
  const workspaceId = principal.kind === 'key' ? principal.workspaceId : membershipIn(request, principal).workspace.id;
  return { principal, workspaceId, actor: actorOf(principal) };
}

/** Throws `forbidden` where the role or the key's scopes do not give the right. */
export function checkRight(access: Access, need: Need): void {
  if (!mayIn(access, need))
    throw new ProblemError('forbidden', `this needs the right to ${need.action} ${need.resource}`);
}

export function mayIn({ principal, workspaceId }: Access, { resource, action }: Need): boolean {
  if (principal.kind === 'key') return mayScopes(principal.scopes, resource, action);
  const membership = principal.memberships.find(({ workspace }) => workspace.id === workspaceId);
  return membership !== undefined && mayRole(membership.role, resource, action);
}

function membershipIn(request: FastifyRequest, principal: Extract<Principal, { kind: 'person' }>): Membership {
  const named = namedWorkspace(request);
  const found =
    named === undefined
      ? principal.memberships[0]
      : principal.memberships.find(({ workspace }) => workspace.id === named);
  if (!found) throw new ProblemError('not-found', 'there is no such workspace');
  return found;
}

function namedWorkspace(request: FastifyRequest): WorkspaceId | null | undefined {
  const query = request.query as { readonly workspace?: unknown } | undefined;
  const text = request.headers[workspaceHeader] ?? query?.workspace;
  return text === undefined ? undefined : (typeof text === 'string' && parseId('workspace', text)) || null;
}
