import type { FastifyInstance } from 'fastify';
import type { ApiDeps } from '../deps.ts';

/** For balancers and collectors: alive as long as the process answers; ready when its parts can work. */
export async function healthRoutes(app: FastifyInstance, deps: ApiDeps): Promise<void> {
  app.get('/health/live', () => ({ status: 'live', version: deps.version }));
  app.get('/health/ready', async (_request, reply) => {
    const unready = await deps.unready();
    return reply
      .status(unready.length === 0 ? 200 : 503)
      .send({ status: unready.length === 0 ? 'ready' : 'unready', unready });
  });
  app.get('/metrics', async (_request, reply) => reply.type('text/plain; version=0.0.4').send(await deps.metrics()));
}
