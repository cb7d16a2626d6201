import { existsSync } from 'node:fs';
import { join } from 'node:path';
import fastifyStatic from '@fastify/static';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { sendProblem } from '../answer-error.ts';
import type { ApiDeps } from '../deps.ts';
import { problemOf } from '../problem.ts';

const missing = problemOf('not-found', 'there is no such page');

/** The console: its built files under `/`, and its one document for every page that a person may ask for. */
export async function consoleRoutes(app: FastifyInstance, deps: ApiDeps): Promise<void> {
  const folder = deps.consoleFolder;
  const isBuilt = folder !== undefined && existsSync(join(folder, 'index.html'));
  app.setNotFoundHandler((request, reply) =>
    isBuilt && isPageOfConsole(request) ? sendConsole(reply) : sendProblem(reply, missing),
  );
  if (!isBuilt) {
    app.get('/', (_request, reply) => reply.type('text/plain').send(howToBuild));
    return;
  }
  await app.register(fastifyStatic, { root: folder, prefix: '/', wildcard: false, index: false });
  app.get('/', (_request, reply) => sendConsole(reply));
}

const howToBuild = 'The console is not built. Run: npm run build:console\n';

function sendConsole(reply: FastifyReply): FastifyReply {
  return reply.header('cache-control', 'no-store').sendFile('index.html');
}

/** A navigation, and not to a place that belongs to programs or to a file that is not there. */
function isPageOfConsole(request: FastifyRequest): boolean {
  const path = request.url.split('?')[0] ?? '';
  const isNavigation = request.method === 'GET' && (request.headers.accept ?? '').includes('text/html');
  return isNavigation && !/^\/(?:api|webhooks|assets|health|metrics)(?:\/|$)/.test(path) && !/\.\w+$/.test(path);
}
