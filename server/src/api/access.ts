/** Who asks, and what they may do: from a request to a workspace and the right to act in it. */
import { parseId, type WorkspaceId } from '@switchyard/contract';
import type { FastifyRequest } from 'fastify';
import '@fastify/cookie';
import {
  type Action,
  type Membership,
  mayRole,
  mayScopes,
  type Principal,
  type Resource,
  type Workspaces,
} from '#workspaces';
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

/** 401 for nobody. Sessions come by cookie; such a request must also come from our own pages unless it only reads. */
export async function authenticate(request: FastifyRequest, workspaces: Workspaces): Promise<Principal> {
  const bearer = /^Bearer (\S+)$/i.exec(request.headers.authorization ?? '')?.[1];
  const principal = bearer ? await workspaces.findByKey(bearer) : await bySession(request, workspaces);
  if (!principal) throw new ProblemError('unauthenticated', 'log in, or send an API key as a bearer token');
  return principal;
}

async function bySession(request: FastifyRequest, workspaces: Workspaces): Promise<Principal | null> {
  const token = request.cookies[sessionCookie] ?? request.cookies[loopbackCookie];
  if (!token) return null;
  if (request.method !== 'GET' && request.method !== 'HEAD') checkOrigin(request);
  return workspaces.findBySession(token);
}

/** A browser says where a request comes from; another site's is refused, and so is one that says nothing. */
export function checkOrigin(request: FastifyRequest): void {
  const site = request.headers['sec-fetch-site'];
  if (site === 'same-origin') return;
  const origin = request.headers.origin;
  const isOwn = site === undefined && origin !== undefined && hostOf(origin) === request.headers.host;
  if (!isOwn) throw new ProblemError('wrong-origin', 'a browser session may only be used from its own pages');
}

function hostOf(origin: string): string | null {
  return URL.canParse(origin) ? new URL(origin).host : null;
}

/**
 * The workspace that is meant: a key's own, or the one a person names in the header (or `workspace` in the query, for
 * event streams), or their first. Another's answers like a missing one.
 */
export function workspaceIn(request: FastifyRequest, principal: Principal): WorkspaceId {
  if (principal.kind === 'key') return principal.workspaceId;
  return membershipIn(request, principal).workspace.id;
}

export function accessTo(
  request: FastifyRequest,
  principal: Principal,
  need: { readonly resource: Resource; readonly action: Action },
): Access {
  if (principal.kind === 'key') {
    if (!mayScopes(principal.scopes, need.resource, need.action)) throw forbidden(need);
    return { principal, workspaceId: principal.workspaceId, actor: `key ${principal.keyId}` };
  }
  const membership = membershipIn(request, principal);
  if (!mayRole(membership.role, need.resource, need.action)) throw forbidden(need);
  return { principal, workspaceId: membership.workspace.id, actor: `person ${principal.person.id}` };
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
  return typeof text === 'string' ? (parseId('workspace', text) ?? null) : undefined;
}

function forbidden(need: { readonly resource: Resource; readonly action: Action }): ProblemError {
  return new ProblemError('forbidden', `this needs the right to ${need.action} ${need.resource}`);
}
