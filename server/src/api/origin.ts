/** Where a browser's request comes from, and over what: the rules that a session stands on. */
import type { FastifyRequest } from 'fastify';
import { ProblemError } from './problem.ts';

/**
 * A browser says where a request comes from. Another site's is refused, reads too; and what changes something must say
 * that it comes from here. A link that a person opens (`none`, or a navigation) may read.
 */
export function checkOrigin(request: FastifyRequest, publicUrl: string | undefined): void {
  const site = request.headers['sec-fetch-site'];
  const { origin } = request.headers;
  const isOwn = site === undefined ? isOwnOrigin(request, origin, publicUrl) : site === 'same-origin';
  if (isOwn) return;
  const isReading = request.method === 'GET' || request.method === 'HEAD';
  const isSilent = site === undefined ? origin === undefined : site === 'none';
  if (isReading && isSilent) return;
  throw new ProblemError('wrong-origin', 'a browser session may only be used from its own pages');
}

function isOwnOrigin(request: FastifyRequest, origin: string | undefined, publicUrl: string | undefined): boolean {
  if (origin === undefined) return false;
  if (origin === `${request.protocol}://${request.host}`) return true;
  return publicUrl !== undefined && URL.canParse(publicUrl) && origin === new URL(publicUrl).origin;
}

const loopbackAddresses: ReadonlySet<string> = new Set(['127.0.0.1', '::1', '::ffff:127.0.0.1']);
const loopbackNames: ReadonlySet<string> = new Set(['localhost', '127.0.0.1', '[::1]']);

/** `secure`, or `loopback`: plain http that does not leave this machine and was not addressed by another name. */
export function transportOf(request: FastifyRequest): 'secure' | 'loopback' | 'open' {
  if (request.protocol === 'https') return 'secure';
  const isLoopback =
    loopbackAddresses.has(request.socket.remoteAddress ?? '') && loopbackNames.has(request.hostname.toLowerCase());
  return isLoopback ? 'loopback' : 'open';
}
