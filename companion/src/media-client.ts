/**
 * Fetches the file of a message from the address that a tenant gave. Within the reach that the server has too: such an
 * address could name a machine beside ours, so it is judged by where it leads. No redirects, one deadline for all of it, and
 * a limit of bytes; the library is handed the bytes and fetches nothing. What may come right by itself (the network, the
 * host's own fault) is `file_unavailable` and tried again; everything else is `invalid`, for good.
 */
import { type IncomingMessage, request as requestPlain } from 'node:http';
import { request as requestSecure } from 'node:https';
import {
  isForbiddenLiteral,
  lookupWithin,
  parseOutgoingUrl,
  portOf,
  type Reach,
} from '../../server/src/channels/http/address/index.ts';
import { Slots } from './slots.ts';
import { NotSent } from './web-client.ts';

export interface MediaLimits {
  /** From the asking to the last byte, the wait for room in it; well below the time that the server gives a send (15 s). */
  readonly totalMs: number;
  readonly maxBytes: number;
  /** Files that may be in memory at once, and of one session: until they are sent. */
  readonly maxAtOnce: number;
  readonly maxOfSession: number;
}

export const mediaLimits: MediaLimits = {
  totalMs: 8_000,
  maxBytes: 64 * 1024 * 1024,
  maxAtOnce: 8,
  maxOfSession: 2,
};

export interface WantedFile {
  readonly url: string;
  readonly session: string;
}

/**
 * Hands the bytes to `use`, and counts them as held until that is done. Throws `NotSent` (`invalid`, `file_unavailable`), whose
 * text names neither the address nor what answered there; and what `use` throws.
 */
export type WithFile = <T>(wanted: WantedFile, use: (file: Buffer) => Promise<T>) => Promise<T>;

export function createWithFile(reach: Reach, limits: MediaLimits = mediaLimits): WithFile {
  const slots = new Slots(limits.maxAtOnce, limits.maxOfSession);
  return async ({ url: text, session }, use) => {
    const url = parseOutgoingUrl(text);
    if (!url) throw new NotSent('invalid', 'the file has no http(s) address');
    if (isForbiddenLiteral(url, reach)) throw unfetched('invalid');
    const signal = AbortSignal.timeout(limits.totalMs);
    const leave = await roomIn(slots, session, signal);
    try {
      return await use(await fetchFile(url, reach, { signal, maxBytes: limits.maxBytes }));
    } finally {
      leave();
    }
  };
}

async function roomIn(slots: Slots, session: string, signal: AbortSignal): Promise<() => void> {
  try {
    return await slots.take(session, signal);
  } catch (cause) {
    throw new NotSent('file_unavailable', 'too many files are being sent at once', { cause });
  }
}

interface Fetch {
  readonly signal: AbortSignal;
  readonly maxBytes: number;
}

async function fetchFile(url: URL, reach: Reach, { signal, maxBytes }: Fetch): Promise<Buffer> {
  try {
    return await bytesOf(await open(url, reach, signal), maxBytes);
  } catch (cause) {
    if (cause instanceof NotSent) throw cause;
    throw unfetched(signal.aborted || isPassing(cause) ? 'file_unavailable' : 'invalid', { cause });
  }
}

/** Of the network, and of a look-up that got no answer. A name that does not exist is none, nor a certificate that is wrong. */
const passingCodes: ReadonlySet<unknown> = new Set([
  ...['ECONNREFUSED', 'ECONNRESET', 'ECONNABORTED', 'EPIPE', 'ETIMEDOUT', 'EAI_AGAIN', 'EMFILE', 'ENFILE'],
  ...['EHOSTUNREACH', 'EHOSTDOWN', 'ENETUNREACH', 'ENETDOWN', 'EADDRNOTAVAIL'],
]);

function isPassing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && passingCodes.has(error.code);
}

function open(url: URL, reach: Reach, signal: AbortSignal): Promise<IncomingMessage> {
  const request = url.protocol === 'https:' ? requestSecure : requestPlain;
  const headers = { accept: '*/*', 'accept-encoding': 'identity', 'user-agent': 'switchyard' };
  const lookup = lookupWithin(reach, portOf(url));
  return new Promise((resolve, reject) => {
    // No agent: a connection that was opened for one tenant is not kept for another.
    request(url, { agent: false, headers, lookup, signal }, resolve).on('error', reject).end();
  });
}

async function bytesOf(answer: IncomingMessage, maxBytes: number): Promise<Buffer> {
  try {
    // A redirect is none either: where it leads was not judged.
    const { statusCode = 0 } = answer;
    if (statusCode !== 200) throw unfetched(isPassingStatus(statusCode) ? 'file_unavailable' : 'invalid');
    const chunks: Buffer[] = [];
    let bytes = 0;
    for await (const chunk of answer as AsyncIterable<Buffer>) {
      bytes += chunk.length;
      if (bytes > maxBytes) throw new NotSent('invalid', `the file is over ${maxBytes} bytes`);
      chunks.push(chunk);
    }
    return Buffer.concat(chunks, bytes);
  } finally {
    answer.destroy();
  }
}

function isPassingStatus(status: number): boolean {
  return status >= 500 || status === 429 || status === 408;
}

/** One text for all: what answers inside a network, and how, is none of a tenant's business. */
function unfetched(code: 'invalid' | 'file_unavailable', options?: ErrorOptions): NotSent {
  return new NotSent(code, 'the file could not be fetched from its address', options);
}
