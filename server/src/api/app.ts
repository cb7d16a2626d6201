/**
 * The REST interface, its documents, and the console's files; everything over HTTP that is not a webhook.
 *
 * Each route is access (`guard.ts`) → parse (zod) → door → present. The zod compilers are set inside the API's scope
 * only: routes with JSON schemas of their own elsewhere would break under them.
 */
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import fastifyCookie from '@fastify/cookie';
import fastifyHelmet from '@fastify/helmet';
import fastifySwagger from '@fastify/swagger';
import fastifySwaggerUi from '@fastify/swagger-ui';
import fastify, { type FastifyBodyParser, type FastifyError, type FastifyInstance } from 'fastify';
import { serializerCompiler, validatorCompiler, type ZodTypeProvider } from 'fastify-type-provider-zod';
import { answerError } from './answer-error.ts';
import { slowHeavyReads } from './busy.ts';
import { refuseUnstorable } from './checked-input.ts';
import { registerCompanion } from './companion/register.ts';
import { checkDangerousActs } from './dangerous-acts.ts';
import type { ApiDeps } from './deps.ts';
import { type ApiRoute, guard, guardBody, listRoute } from './guard.ts';
import { idempotency, keepClaimed, leaveUnknown } from './idempotency.ts';
import { createLiveHub } from './live-hub.ts';
import { answerOlderError, markDeprecated } from './older/older-shape.ts';
import { olderAccountRoutes } from './older/whatsapp-account-routes.ts';
import { olderSettingsRoutes } from './older/whatsapp-settings-routes.ts';
import { completeDocument, describeRoute, openApiSecurity, openApiTags } from './openapi.ts';
import { accountInsightRoutes } from './routes/account-insight-routes.ts';
import { accountLifeRoutes } from './routes/account-life-routes.ts';
import { accountRoutes } from './routes/account-routes.ts';
import { accountTokenRoutes } from './routes/account-token-routes.ts';
import { alarmRoutes } from './routes/alarm-routes.ts';
import { apiKeyRoutes } from './routes/api-key-routes.ts';
import { auditRoutes } from './routes/audit-routes.ts';
import { catalogueRoutes } from './routes/catalogue-routes.ts';
import { consoleRoutes } from './routes/console-routes.ts';
import { conversationRoutes } from './routes/conversation-routes.ts';
import { deliveryRoutes } from './routes/delivery-routes.ts';
import { eventRoutes } from './routes/event-routes.ts';
import { flowRoutes } from './routes/flow-routes.ts';
import { healthRoutes } from './routes/health-routes.ts';
import { invitationRoutes } from './routes/invitation-routes.ts';
import { memberRoutes } from './routes/member-routes.ts';
import { messageRoutes } from './routes/message-routes.ts';
import { monitoringRoutes } from './routes/monitoring-routes.ts';
import { ownPasswordRoutes } from './routes/own-password-routes.ts';
import { ownSessionRoutes } from './routes/own-session-routes.ts';
import { pairingRoutes } from './routes/pairing-routes.ts';
import { privacyRoutes } from './routes/privacy-routes.ts';
import { providerWebhookRoutes } from './routes/provider-webhook-routes.ts';
import { reconcileRoutes } from './routes/reconcile-routes.ts';
import { secondFactorRoutes } from './routes/second-factor-routes.ts';
import { sessionRoutes } from './routes/session-routes.ts';
import { workspaceRoutes } from './routes/workspace-routes.ts';
import { checkBody } from './schemas.ts';

export const apiLimits = { bodyBytes: 1024 * 1024 } as const;

/** Makes the listener: given fastify's handler, answers with the server that also takes webhooks. */
export type ServerFactory = (handler: (request: IncomingMessage, response: ServerResponse) => void) => Server;

/** `apiRoutes` of the instance lists every route under `/api/v1` with who may call it. Not listening yet. */
export async function createApi(deps: ApiDeps, serverFactory: ServerFactory): Promise<FastifyInstance> {
  const app = fastify({
    serverFactory: (handler) => serverFactory(handler),
    bodyLimit: apiLimits.bodyBytes,
    // One proxy, ours: what stands further left in X-Forwarded-For is whatever the client wrote.
    trustProxy: deps.isProxyTrusted ? (_address: string, hop: number) => hop === 0 : false,
    exposeHeadRoutes: false,
    logger: false,
    forceCloseConnections: true,
  });
  app.setErrorHandler((error: FastifyError, _request, reply) => answerError(deps.log, error, reply));
  await app.register(fastifyCookie);
  await app.register(fastifyHelmet, {
    contentSecurityPolicy: { useDefaults: false, directives: contentPolicy },
    strictTransportSecurity: false,
  });
  const routes: ApiRoute[] = [];
  const heavy = slowHeavyReads(deps);
  app.decorate('apiRoutes', routes);
  await app.register(healthRoutes, deps);
  await app.register(async (documented) => {
    documented.setValidatorCompiler(validatorCompiler);
    documented.setSerializerCompiler(serializerCompiler);
    await registerDocuments(documented, deps.version);
    await documented.register((v1) => registerRoutes(v1, routes, deps, heavy), { prefix: '/api/v1' });
    await documented.register((older) => registerOlderRoutes(older, routes, deps, heavy));
    await documented.register((older) => registerCompanion(older, deps), { prefix: '/api/whatsapp' });
  });
  checkDangerousActs(routes);
  await app.register(consoleRoutes, deps);
  return app;
}

async function registerDocuments(app: FastifyInstance, version: string): Promise<void> {
  await app.register(fastifySwagger, {
    openapi: {
      openapi: '3.1.0',
      info: { title: 'Switchyard', version, description: 'Business messaging on WhatsApp and Instagram.' },
      components: { securitySchemes: openApiSecurity },
      security: [{ apiKey: [] }, { session: [] }],
      tags: openApiTags,
    },
    transform: describeRoute,
    transformObject: completeDocument,
  });
  await app.register(fastifySwaggerUi, {
    routePrefix: '/api/docs',
    theme: { title: 'Switchyard API' },
    uiConfig: { deepLinking: true },
  });
  app.get('/api/openapi.json', { schema: { hide: true } }, () => app.swagger());
}

type HeavyHook = ReturnType<typeof slowHeavyReads>;

async function registerRoutes(v1: FastifyInstance, routes: ApiRoute[], deps: ApiDeps, heavy: HeavyHook): Promise<void> {
  guardRoutes(v1, routes, deps, heavy);
  const hub = await createLiveHub(deps);
  v1.addHook('preClose', () => hub.close());
  const typed = v1.withTypeProvider<ZodTypeProvider>();
  for (const register of [
    sessionRoutes,
    workspaceRoutes,
    apiKeyRoutes,
    accountRoutes,
    accountTokenRoutes,
    accountLifeRoutes,
    accountInsightRoutes,
    providerWebhookRoutes,
    deliveryRoutes,
    conversationRoutes,
    messageRoutes,
    catalogueRoutes,
    flowRoutes,
    eventRoutes,
    ownSessionRoutes,
    ownPasswordRoutes,
    secondFactorRoutes,
    memberRoutes,
    invitationRoutes,
    auditRoutes,
    pairingRoutes,
    monitoringRoutes,
    alarmRoutes,
    privacyRoutes,
    reconcileRoutes,
  ])
    await register(typed, { ...deps, hub });
}

/** The names that older clients know, behind the same guard, answering in the shapes that they know. */
async function registerOlderRoutes(
  older: FastifyInstance,
  routes: ApiRoute[],
  deps: ApiDeps,
  heavy: HeavyHook,
): Promise<void> {
  older.setErrorHandler(answerOlderError(deps.log));
  older.addHook('onRequest', markDeprecated);
  guardRoutes(older, routes, deps, heavy);
  const typed = older.withTypeProvider<ZodTypeProvider>();
  for (const register of [olderAccountRoutes, olderSettingsRoutes]) await register(typed, deps);
}

function guardRoutes(scope: FastifyInstance, routes: ApiRoute[], deps: ApiDeps, heavy: HeavyHook): void {
  // JSON only: a form of another site can send text, and our pages have no need to.
  scope.removeContentTypeParser('text/plain');
  scope.addContentTypeParser('application/json', { parseAs: 'string' }, jsonOrNothing(scope));
  scope.addHook('onRoute', (route) => listRoute(routes, route));
  scope.addHook('onRoute', checkBody);
  scope.addHook('onRequest', guard(deps));
  scope.addHook('preValidation', refuseUnstorable);
  scope.addHook('preHandler', guardBody(deps));
  scope.addHook('preHandler', heavy);
  scope.addHook('preHandler', idempotency(deps));
  scope.addHook('onError', leaveUnknown);
  scope.addHook('onSend', keepClaimed);
}

/** Clients that name their type on every request send nothing under it too: that is no body, and the schema says whether one is needed. */
function jsonOrNothing(scope: FastifyInstance): FastifyBodyParser<string> {
  const parse = scope.getDefaultJsonParser('error', 'error');
  return (request, text, done) => (text === '' ? done(null, undefined) : parse(request, text, done));
}

/** Scripts from ourselves only; styles inline, since the component library writes its colour variables so. No upgrade of plain http. */
const contentPolicy = {
  defaultSrc: ["'self'"],
  scriptSrc: ["'self'"],
  scriptSrcAttr: ["'none'"],
  styleSrc: ["'self'", "'unsafe-inline'"],
  fontSrc: ["'self'", 'data:'],
  imgSrc: ["'self'", 'data:', 'blob:'],
  connectSrc: ["'self'"],
  objectSrc: ["'none'"],
  frameAncestors: ["'none'"],
  baseUri: ["'self'"],
  formAction: ["'self'"],
};
