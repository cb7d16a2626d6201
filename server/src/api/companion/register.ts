import type { FastifyError, FastifyInstance } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import type { ApiDeps } from '../deps.ts';
import { companionRoutes } from '../routes/companion-routes.ts';
import { companionSessionRoutes } from '../routes/companion-session-routes.ts';
import { companionGuard } from './companion-guard.ts';
import { answerCompanionError } from './refusal.ts';

/** A scope of its own: bodies as bytes, since they are signed; refusals in the older shape. */
export async function registerCompanion(app: FastifyInstance, deps: ApiDeps): Promise<void> {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));
  app.setErrorHandler((error: FastifyError, _request, reply) => answerCompanionError(deps.log, error, reply));
  app.addHook('preValidation', companionGuard(deps));
  await app.register((scope) => companionRoutes(scope.withTypeProvider<ZodTypeProvider>(), deps));
  await app.register((scope) => companionSessionRoutes(scope.withTypeProvider<ZodTypeProvider>(), deps));
}
