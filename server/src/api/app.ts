/**
 * The REST interface, its documents, and the console's files; everything over HTTP that is not a webhook.
 *
 * Each route is parse (zod) → door → present. The zod compilers are set inside the API's scope only: routes with JSON
 * schemas of their own elsewhere would break under them.
 */
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import fastifyCookie from '@fastify/cookie';
import fastifyHelmet from '@fastify/helmet';
import fastifySwagger from '@fastify/swagger';
import fastifySwaggerUi from '@fastify/swagger-ui';
import fastify, { type FastifyError, type FastifyInstance } from 'fastify';
import {
  hasZodFastifySchemaValidationErrors,
  isResponseSerializationError,
  jsonSchemaTransform,
  jsonSchemaTransformObject,
  serializerCompiler,
  validatorCompiler,
} from 'fastify-type-provider-zod';
import { StorageUnavailable } from '#storage';
import type { ApiDeps } from './deps.ts';
import { idempotency, keepClaimed } from './idempotency.ts';
import { ProblemError, problemOf } from './problem.ts';
import { accountRoutes } from './routes/account-routes.ts';
import { apiKeyRoutes } from './routes/api-key-routes.ts';
import { consoleRoutes } from './routes/console-routes.ts';
import { conversationRoutes } from './routes/conversation-routes.ts';
import { deliveryRoutes } from './routes/delivery-routes.ts';
import { eventRoutes } from './routes/event-routes.ts';
import { healthRoutes } from './routes/health-routes.ts';
import { sessionRoutes } from './routes/session-routes.ts';
import { workspaceRoutes } from './routes/workspace-routes.ts';

export const apiLimits = { bodyBytes: 1024 * 1024, requestTimeoutMs: 30_000 } as const;

/** Makes the listener: given fastify's handler, answers with the server that also takes webhooks. */
export type ServerFactory = (handler: (request: IncomingMessage, response: ServerResponse) => void) => Server;

export async function createApi(deps: ApiDeps, serverFactory: ServerFactory): Promise<FastifyInstance> {
  const app = fastify({
    serverFactory: (handler) => serverFactory(handler),
    bodyLimit: apiLimits.bodyBytes,
    requestTimeout: apiLimits.requestTimeoutMs,
    trustProxy: deps.isProxyTrusted,
    logger: false,
    forceCloseConnections: true,
  });
  app.setErrorHandler((error: FastifyError, _request, reply) => answerError(deps, error, reply));
  app.setNotFoundHandler((_request, reply) => sendProblem(reply, problemOf('not-found', 'there is no such page')));
  await app.register(fastifyCookie);
  await app.register(fastifyHelmet, {
    contentSecurityPolicy: { directives: contentPolicy },
    strictTransportSecurity: false,
  });
  await app.register(healthRoutes, deps);
  await app.register(async (api) => {
    api.setValidatorCompiler(validatorCompiler);
    api.setSerializerCompiler(serializerCompiler);
    await api.register(fastifySwagger, {
      openapi: {
        openapi: '3.1.0',
        info: {
          title: 'Switchyard',
          version: deps.version,
          description: 'Business messaging on WhatsApp and Instagram.',
        },
        components: {
          securitySchemes: {
            apiKey: { type: 'http', scheme: 'bearer' },
            session: { type: 'apiKey', in: 'cookie', name: '__Host-switchyard' },
          },
        },
        security: [{ apiKey: [] }, { session: [] }],
      },
      transform: jsonSchemaTransform,
      transformObject: jsonSchemaTransformObject,
    });
    await api.register(fastifySwaggerUi, {
      routePrefix: '/api/docs',
      theme: { title: 'Switchyard API' },
      staticCSP: true,
    });
    api.get('/api/openapi.json', { schema: { hide: true } }, () => api.swagger());
    await api.register(
      async (v1) => {
        v1.addHook('preHandler', idempotency(deps));
        v1.addHook('onSend', keepClaimed);
        for (const routes of [
          sessionRoutes,
          workspaceRoutes,
          apiKeyRoutes,
          accountRoutes,
          deliveryRoutes,
          conversationRoutes,
          eventRoutes,
        ]) {
          await v1.register(routes, deps);
        }
      },
      { prefix: '/api/v1' },
    );
  });
  await app.register(consoleRoutes, deps);
  return app;
}

/** Scripts from ourselves only; styles inline, since the component library writes its colour variables so. No upgrade of plain http. */
const contentPolicy = {
  defaultSrc: ["'self'"],
  scriptSrc: ["'self'"],
  styleSrc: ["'self'", "'unsafe-inline'"],
  imgSrc: ["'self'", 'data:', 'blob:'],
  connectSrc: ["'self'"],
  objectSrc: ["'none'"],
  frameAncestors: ["'none'"],
  baseUri: ["'self'"],
  formAction: ["'self'"],
  upgradeInsecureRequests: null,
};

type Reply = Parameters<Parameters<FastifyInstance['setErrorHandler']>[0]>[2];

function sendProblem(reply: Reply, problem: ReturnType<typeof problemOf>) {
  return reply.status(problem.status).type('application/problem+json').send(JSON.stringify(problem));
}

function answerError(deps: ApiDeps, error: FastifyError, reply: Reply) {
  if (error instanceof ProblemError) {
    if (error.retryAfterSeconds !== undefined) reply.header('retry-after', error.retryAfterSeconds);
    return sendProblem(reply, error.problem);
  }
  if (error instanceof StorageUnavailable) {
    reply.header('retry-after', 5);
    return sendProblem(reply, problemOf('unavailable', 'the database cannot be asked right now'));
  }
  if (hasZodFastifySchemaValidationErrors(error)) {
    const errors = error.validation.map((issue) => ({
      path: issue.instancePath || '/',
      message: issue.message ?? 'is wrong',
    }));
    return sendProblem(reply, problemOf('invalid-request', 'the request does not fit its schema', errors));
  }
  if (error.statusCode !== undefined && error.statusCode < 500) {
    return sendProblem(reply, { ...problemOf('invalid-request', error.message), status: error.statusCode });
  }
  const where = isResponseSerializationError(error) ? 'an answer does not fit its schema' : 'a request failed';
  deps.log.error({ error: error.stack ?? String(error) }, where);
  return sendProblem(reply, {
    ...problemOf('failed', 'this is our fault; it was logged'),
    status: 500,
    title: 'Internal Server Error',
  });
}
