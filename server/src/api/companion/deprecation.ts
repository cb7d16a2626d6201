import type { FastifyReply, FastifyRequest } from 'fastify';

/** RFC 9745: since when a name is an older one. These answer as long as they have callers. */
const olderSince = Math.floor(Date.UTC(2025, 10, 14) / 1_000);

/** For `onSend` of routes that answer under an older name. */
export async function markOlder(_request: FastifyRequest, reply: FastifyReply): Promise<void> {
  reply.header('deprecation', `@${olderSince}`);
}
