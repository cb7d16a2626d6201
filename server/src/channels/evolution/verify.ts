import type { RawRequest, Verification, VerifySecrets } from '../channel.ts';
import { isAnySecret } from '../secrets/index.ts';
import { readBodySecrets } from './body-secrets.ts';
import { isSignedToken } from './jwt.ts';

/** Headers in which a secret may stand: Evolution sends whatever `headers` its webhook was set with. */
export const secretHeaders = ['apikey', 'authorization', 'x-api-key', 'x-webhook-secret', 'x-webhook-token'] as const;

/**
 * Evolution signs nothing (server 2.3.6 and the tags back to 1.3.0), so a request is believed for what it brings along:
 * a header that we asked it to send, a token signed with the `jwt_key` that we gave it, the instance's own `apikey` in
 * the body, or a URL that holds our route token. Without a route token, what is held is required; where nothing is held
 * (an instance taken over from an older system) the body is taken and marked unauthenticated.
 */
export function verifyEvolution(request: RawRequest, secrets: VerifySecrets, nowMs: number): Verification {
  const held = secrets.signing.filter((secret) => secret !== '');
  if (bringsSecret(request, held, nowMs)) return { kind: 'verified', isAuthenticated: true };
  if (secrets.requiresSecret) return { kind: 'refused', reason: 'this account requires a secret, and none fits' };
  if (secrets.hasRouteToken) return { kind: 'verified', isAuthenticated: true };
  if (held.length > 0) return { kind: 'refused', reason: 'neither a header nor the apikey of the body fits' };
  return { kind: 'verified', isAuthenticated: false };
}

function bringsSecret(request: RawRequest, held: readonly string[], nowMs: number): boolean {
  if (held.length === 0) return false;
  const brought = [...headerSecrets(request.headers), ...readBodySecrets(request.body)];
  return brought.some((secret) => isAnySecret(secret, held) || isSignedToken(secret, held, nowMs));
}

/** A bearer counts with and without its scheme: the header may have been set either way. */
function headerSecrets(headers: RawRequest['headers']): readonly string[] {
  return secretHeaders.flatMap((name) => {
    const value = headers[name]?.trim();
    if (!value) return [];
    const bearer = /^bearer\s+(\S+)$/i.exec(value)?.[1];
    return bearer ? [value, bearer] : [value];
  });
}
