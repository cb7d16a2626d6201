import type { FastifyInstance } from 'fastify';
import type { ApiDeps } from '../deps.ts';

export async function conversationRoutes(_app: FastifyInstance, _deps: ApiDeps): Promise<void> {}
