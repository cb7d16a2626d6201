/**
 * Stands before every route of the companion: a signature by a key that we made, not too old, and each only once.
 *
 * The order matters: what is not signed rightly spends no nonce, and the body is read as JSON only after its bytes were
 * found authentic. The nonce is claimed in Postgres, so a replay is refused in every process.
 */
import { type CompanionKeyId, parseId } from '@switchyard/contract';
import type { FastifyRequest } from 'fastify';
import type { OpenCompanionKey } from '#accounts';
import type { ApiDeps } from '../deps.ts';
import { CompanionRefusal } from './refusal.ts';
import {
  isSameSignature,
  isTimely,
  nonceMemoryMs,
  olderSignatureOf,
  readSignature,
  type SignatureHeaders,
  type Signed,
  signatureOf,
} from './signature.ts';

const keys = new WeakMap<FastifyRequest, OpenCompanionKey>();

/** For `preValidation`, in a scope whose bodies are read as bytes. */
export function companionGuard(deps: Pick<ApiDeps, 'companions' | 'engines' | 'clock'>) {
  return async (request: FastifyRequest): Promise<void> => {
    const body = request.body instanceof Uint8Array ? request.body : new Uint8Array();
    const signed: Signed = { method: request.method, target: request.raw.url ?? '/', body };
    const headers = readSignature(request.headers);
    const found = await signerOf(deps, headers, signed);
    if (headers.kind === 'refused' || !found) throw unsigned;
    if (!isTimely(headers.timestamp, deps.clock.now())) throw tooOld;
    const once = onceOf(headers, signed, found);
    if (once !== null && !(await deps.engines.counters.claimOnce(once, nonceMemoryMs))) throw replayed;
    await deps.companions.noteKeyUsed(found);
    keys.set(request, found);
    request.body = parseBody(body);
  };
}

/** The key that signed this request. */
export function companionKeyOf(request: FastifyRequest): OpenCompanionKey {
  const key = keys.get(request);
  if (!key) throw unsigned;
  return key;
}

async function signerOf(
  { companions }: Pick<ApiDeps, 'companions'>,
  headers: SignatureHeaders,
  signed: Signed,
): Promise<OpenCompanionKey | null> {
  switch (headers.kind) {
    case 'refused':
      return null;
    case 'named': {
      const key = await findKey(companions, parseId('companionKey', headers.key));
      // A signature is made for an unknown key too: how long it takes must not tell which keys there are.
      const expected = signatureOf(key?.secret ?? 'nobody’s', headers, signed);
      return isSameSignature(headers.signature, expected) ? key : null;
    }
    case 'older': {
      const isRight = ({ secret }: OpenCompanionKey) =>
        isSameSignature(headers.signature, olderSignatureOf(secret, headers.timestamp, signed.body));
      const matching = (await companions.listOpenKeys()).filter(isRight);
      return matching[0] ?? null;
    }
    default: {
      const never: never = headers;
      return never;
    }
  }
}

async function findKey(
  companions: ApiDeps['companions'],
  id: CompanionKeyId | undefined,
): Promise<OpenCompanionKey | null> {
  return id ? companions.findKey(id) : null;
}

/**
 * What may be used once. The older pair has no nonce: what it writes is taken once by its signature, and a write without
 * a body is refused, for that signature would be good for any path. What it reads may be read again.
 */
function onceOf(headers: SignatureHeaders, { method, body }: Signed, key: OpenCompanionKey): string | null {
  if (headers.kind === 'refused') return null;
  if (headers.kind === 'named') return `companion:${key.id}:${headers.nonce}`;
  if (method === 'GET') return null;
  if (body.length === 0) throw unsigned;
  return `companion:${key.id}:${headers.signature}`;
}

function parseBody(body: Uint8Array): unknown {
  if (body.length === 0) return {};
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body));
  } catch (cause) {
    throw new CompanionRefusal(400, 'The body is not JSON', { cause });
  }
}

const unsigned = new CompanionRefusal(401, 'Wrong or missing signature');
const tooOld = new CompanionRefusal(401, 'The request is too old or too new: look at the clocks');
const replayed = new CompanionRefusal(401, 'This request was taken already');
