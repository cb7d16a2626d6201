/**
 * `Idempotency-Key` on every POST: the first answer under a key is kept for a day and given again. The same key with
 * another request is refused; one that is still running answers 409. Failures of ours (5xx) are not kept.
 */
import type { FastifyReply, FastifyRequest } from 'fastify';
import { sha256Hex, type WorkspaceTx } from '#storage';
import { authenticate, workspaceIn } from './access.ts';
import type { ApiDeps } from './deps.ts';
import { claimKey, findKey, forgetKey, keepAnswer } from './idempotency-store.ts';
import { ProblemError } from './problem.ts';

const maxKeyLength = 255;

export function idempotency(deps: ApiDeps) {
  return async (request: FastifyRequest, reply: FastifyReply) => {
    const key = request.headers['idempotency-key'];
    if (request.method !== 'POST' || typeof key !== 'string') return;
    if (key.length === 0 || key.length > maxKeyLength)
      throw new ProblemError('invalid-request', `an Idempotency-Key has 1 to ${maxKeyLength} characters`);
    const workspaceId = workspaceIn(request, await authenticate(request, deps.workspaces));
    const entry = {
      route: `${request.method} ${request.url.split('?')[0]}`,
      key,
      requestHash: sha256Hex(JSON.stringify(request.body ?? null)),
    };
    const inWorkspace = <T>(work: (tx: WorkspaceTx) => Promise<T>) => deps.storage.inWorkspace(workspaceId, work);
    const isFirst = await inWorkspace((tx) => claimKey(tx, entry));
    if (!isFirst) return await repeat(reply, entry, await inWorkspace((tx) => findKey(tx, entry)));
    claims.set(request, {
      keep: (status, payload) => inWorkspace((tx) => keepAnswer(tx, entry, { status, payload })),
      forget: () => inWorkspace((tx) => forgetKey(tx, entry)),
    });
    return undefined;
  };
}

interface Claim {
  keep(status: number, payload: string): Promise<void>;
  forget(): Promise<void>;
}

const claims = new WeakMap<FastifyRequest, Claim>();

/** Before the answer leaves: kept under its key, so that a client that did not get it gets the same one again. */
export async function keepClaimed(request: FastifyRequest, reply: FastifyReply, payload: unknown): Promise<unknown> {
  const claim = claims.get(request);
  if (claim && reply.statusCode < 500) await claim.keep(reply.statusCode, typeof payload === 'string' ? payload : '');
  else if (claim) await claim.forget();
  return payload;
}

async function repeat(
  reply: FastifyReply,
  entry: { readonly requestHash: string },
  found: Awaited<ReturnType<typeof findKey>>,
) {
  if (found && found.requestHash !== entry.requestHash)
    throw new ProblemError('idempotency-mismatch', 'this Idempotency-Key was used for another request');
  if (!found || found.status === null)
    throw new ProblemError('idempotency-running', 'the first request under this Idempotency-Key is still running', {
      retryAfterSeconds: 1,
    });
  await reply
    .status(found.status)
    .header('idempotency-replayed', 'true')
    .type('application/json')
    .serializer(String)
    .send(found.response ?? '');
}
