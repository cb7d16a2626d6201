import { existsSync } from 'node:fs';
import { join } from 'node:path';
import fastifyStatic from '@fastify/static';
import type { FastifyInstance } from 'fastify';
import type { ApiDeps } from '../deps.ts';

/** The console: built files under `/`, its own pages all answered by its one document. */
export async function consoleRoutes(app: FastifyInstance, deps: ApiDeps): Promise<void> {
  const folder = deps.consoleFolder;
  if (!folder || !existsSync(join(folder, 'index.html'))) {
    app.get('/', (_request, reply) =>
      reply.type('text/plain').send('The console is not built. Run: npm run build:console\n'),
    );
    return;
  }
  await app.register(fastifyStatic, { root: folder, prefix: '/', wildcard: false, index: false });
  const page = (
    _request: unknown,
    reply: { header(name: string, value: string): { sendFile(name: string): unknown } },
  ) => reply.header('cache-control', 'no-store').sendFile('index.html');
  for (const path of [
    '/',
    '/log-in',
    '/deliveries',
    '/deliveries/*',
    '/conversations',
    '/conversations/*',
    '/accounts',
    '/accounts/*',
    '/settings',
    '/settings/*',
  ]) {
    app.get(path, page);
  }
}
