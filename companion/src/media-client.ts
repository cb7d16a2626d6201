/**
 * Fetches the file of a message from the address that a tenant gave. Within the reach that the server has too: such an
 * address could name a machine beside ours, so it is judged by where it leads. No redirects, one deadline for all of it, and
 * a limit of bytes; the library is handed the bytes and fetches nothing.
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
import { NotSent } from './web-client.ts';

export interface MediaLimits {
  /** From the look-up to the last byte; well below the time that the server gives a send (15 s). */
  readonly totalMs: number;
  readonly maxBytes: number;
}

export const mediaLimits: MediaLimits = { totalMs: 8_000, maxBytes: 64 * 1024 * 1024 };

/** Throws `NotSent` (`invalid`), whose text names neither the address nor what answered there. */
export type FetchFile = (url: string) => Promise<Buffer>;

export function createFetchFile(reach: Reach, limits: MediaLimits = mediaLimits): FetchFile {
  return async (text) => {
    const url = parseOutgoingUrl(text);
    if (!url) throw new NotSent('invalid', 'the file has no http(s) address');
    if (isForbiddenLiteral(url, reach)) throw unfetched();
    const signal = AbortSignal.timeout(limits.totalMs);
    try {
      return await bytesOf(await open(url, reach, signal), limits.maxBytes);
    } catch (cause) {
      throw cause instanceof NotSent ? cause : unfetched({ cause });
    }
  };
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
    if (answer.statusCode !== 200) throw unfetched();
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

/** One text for all: what answers inside a network, and how, is none of a tenant's business. */
function unfetched(options?: ErrorOptions): NotSent {
  return new NotSent('invalid', 'the file could not be fetched from its address', options);
}
