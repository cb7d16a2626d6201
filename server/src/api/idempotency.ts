/**
 * `Idempotency-Key` on every POST inside a workspace: the first answer under a key is kept for a day and given again.
 *
 * A key is `claimed` before the work, in a transaction of its own, so that two processes cannot both begin. Then it is
 * `kept` with the answer, or forgotten where nothing was decided (a failure of ours, no right, too fast). A process that
 * ends in between leaves it claimed, and so does a commit whose answer was lost: after `runningMs` the answer says that
 * nobody knows, since doing it again could do it twice.
 */
import type { FastifyReply, FastifyRequest } from 'fastify';
import { CommitUnknown, type SealedPlace, sha256Hex, type WorkspaceTx } from '#storage';
import type { ApiDeps } from './deps.ts';
import { findAccess } from './guard.ts';
import { claimKey, findKey, forgetKey, type IdempotencyEntry, type KeptKey, keepAnswer } from './idempotency-store.ts';
import { ProblemError } from './problem.ts';

export const idempotencyLimits = { maxKeyLength: 255, runningMs: 60_000 } as const;

interface Claim {
  keep(status: number, payload: string): Promise<void>;
  forget(): Promise<void>;
}

const claims = new WeakMap<FastifyRequest, Claim>();

/** For `preHandler`: after access is settled and the request fits its schema. */
export function idempotency(deps: ApiDeps) {
  return async (request: FastifyRequest, reply: FastifyReply) => {
    const key = request.headers['idempotency-key'];
    const access = findAccess(request);
    if (request.method !== 'POST' || key === undefined || !access) return undefined;
    const entry = entryOf(request, access.actor, checkKey(key));
    const place = placeOf(access.workspaceId, entry);
    const inWorkspace = <T>(work: (tx: WorkspaceTx) => Promise<T>) =>
      deps.storage.inWorkspace(access.workspaceId, work);
    if (!(await inWorkspace((tx) => claimKey(tx, entry)))) {
      const kept = checkKept(entry, await inWorkspace((tx) => findKey(tx, entry)));
      return repeat(reply, kept.status, deps.sealer.openText(Buffer.from(kept.response, 'base64'), place));
    }
    claims.set(request, {
      keep: (status, payload) => {
        const response = deps.sealer.seal(payload, place).toString('base64');
        return inWorkspace((tx) => keepAnswer(tx, entry, { status, response }));
      },
      forget: () => inWorkspace((tx) => forgetKey(tx, entry)),
    });
    return undefined;
  };
}

/** Answers that decide nothing about the request itself. */
const passing: ReadonlySet<number> = new Set([401, 403, 429]);

/** For `onError`, before the failure is answered: what may have taken effect is not forgotten. */
export async function leaveUnknown(request: FastifyRequest, _reply: FastifyReply, error: Error): Promise<void> {
  if (error instanceof CommitUnknown) claims.delete(request);
}

/** For `onSend`: kept before it leaves, so that a client that did not get it gets the same one again. */
export async function keepClaimed(request: FastifyRequest, reply: FastifyReply, payload: unknown): Promise<unknown> {
  const claim = claims.get(request);
  if (!claim) return payload;
  claims.delete(request);
  const isDecided = reply.statusCode < 500 && !passing.has(reply.statusCode);
  if (isDecided) await claim.keep(reply.statusCode, typeof payload === 'string' ? payload : '');
  else await claim.forget();
  return payload;
}

function checkKey(key: string | readonly string[]): string {
  const { maxKeyLength } = idempotencyLimits;
  if (typeof key === 'string' && key.length >= 1 && key.length <= maxKeyLength && /^[\x20-\x7e]+$/.test(key))
    return key;
  throw new ProblemError('invalid-request', `an Idempotency-Key has 1 to ${maxKeyLength} characters of ASCII`);
}

function entryOf(request: FastifyRequest, actor: string, key: string): IdempotencyEntry {
  const path = request.url.split('?')[0];
  const requestHash = sha256Hex(JSON.stringify([request.body ?? null, request.query ?? null]));
  return { route: `${actor} ${request.method} ${path}`, key, requestHash };
}

function placeOf(workspaceId: string, { route, key }: IdempotencyEntry): SealedPlace {
  return { table: 'idempotency_keys', column: 'response', row: JSON.stringify([workspaceId, route, key]) };
}

function checkKept(
  entry: IdempotencyEntry,
  kept: KeptKey | null,
): { readonly status: number; readonly response: string } {
  if (kept && kept.requestHash !== entry.requestHash)
    throw new ProblemError('idempotency-mismatch', 'this Idempotency-Key was used for another request');
  if (kept && kept.status !== null && kept.response !== null) return { status: kept.status, response: kept.response };
  if (kept && kept.ageMs > idempotencyLimits.runningMs)
    throw new ProblemError(
      'idempotency-unsettled',
      'the first request under this Idempotency-Key ended without an answer; look whether it took effect',
    );
  throw new ProblemError('idempotency-running', 'the first request under this Idempotency-Key is still running', {
    retryAfterSeconds: 1,
  });
}

function repeat(reply: FastifyReply, status: number, payload: string): FastifyReply {
  return reply
    .status(status)
    .header('idempotency-replayed', 'true')
    .type(status < 400 ? 'application/json' : 'application/problem+json')
    .serializer(String)
    .send(payload);
}
