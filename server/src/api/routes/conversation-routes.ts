import {
  type ConversationId,
  conversationChangeSchema,
  conversationSchema,
  messageSchema,
  newMessageSchema,
  pageOf,
  pageQuerySchema,
  parseId,
  problemSchema,
  queuedMessageSchema,
  toPublicId,
} from '@switchyard/contract';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import { z } from 'zod';
import type { ConversationSummary } from '#conversations';
import type { Action, Resource } from '#workspaces';
import { accessTo, authenticate } from '../access.ts';
import { definedOnly } from '../defined-only.ts';
import type { ApiDeps } from '../deps.ts';
import { presentConversation, presentMessage } from '../present-conversation.ts';
import { notFound, ProblemError } from '../problem.ts';

const params = z.object({ id: z.string() });
const query = pageQuerySchema.extend({
  account: z.string().optional(),
  handler: z.enum(['bot', 'person']).optional(),
  search: z.string().max(100).optional(),
});

export async function conversationRoutes(app: FastifyInstance, deps: ApiDeps): Promise<void> {
  const routes = app.withTypeProvider<ZodTypeProvider>();
  const tags = ['conversations'];
  const may = async (request: FastifyRequest, resource: Resource, action: Action) =>
    accessTo(request, await authenticate(request, deps.workspaces), { resource, action });
  const present = (summary: ConversationSummary) =>
    presentConversation(summary, deps.capabilitiesOf(summary.provider).windowHours, deps.clock.now());

  routes.get(
    '/conversations',
    {
      schema: {
        tags,
        summary: 'Conversations, the latest first',
        querystring: query,
        response: { 200: pageOf(conversationSchema), '4xx': problemSchema },
      },
    },
    async (request) => {
      const { workspaceId } = await may(request, 'conversations', 'read');
      const { account, ...rest } = request.query;
      const accountId = account === undefined ? undefined : parseId('account', account);
      if (account !== undefined && !accountId)
        throw new ProblemError('invalid-request', 'account is not an account id');
      const page = await deps.storage.inWorkspace(workspaceId, (tx) =>
        deps.conversations.listConversations(tx, definedOnly({ ...rest, accountId })),
      );
      return { data: page.data.map(present), nextCursor: page.nextCursor };
    },
  );

  routes.get(
    '/conversations/:id',
    {
      schema: {
        tags,
        summary: 'One conversation',
        params,
        response: { 200: conversationSchema, '4xx': problemSchema },
      },
    },
    async (request) => {
      const { workspaceId } = await may(request, 'conversations', 'read');
      const id = idOf(request.params.id);
      const summary = await deps.storage.inWorkspace(workspaceId, (tx) => deps.conversations.findSummary(tx, id));
      if (!summary) throw notFound('conversation');
      return present(summary);
    },
  );

  routes.patch(
    '/conversations/:id',
    {
      schema: {
        tags,
        summary: 'Take over from the bot, hand back, mark as read',
        params,
        body: conversationChangeSchema,
        response: { 200: conversationSchema, '4xx': problemSchema },
      },
    },
    async (request) => {
      const access = await may(request, 'conversations', 'write');
      const id = idOf(request.params.id);
      const { handler, isRead } = request.body;
      const summary = await deps.storage.inWorkspace(access.workspaceId, async (tx) => {
        const found = await deps.conversations.findSummary(tx, id);
        if (!found) throw notFound('conversation');
        if (handler) await deps.conversations.changeConversation(tx, id, { handler, handlerUntil: null });
        if (isRead) {
          const providerMessageId = await deps.conversations.markRead(tx, id);
          if (providerMessageId) deps.outbox.markRead(tx, { accountId: found.accountId, providerMessageId });
        }
        return deps.conversations.findSummary(tx, id);
      });
      if (!summary) throw notFound('conversation');
      return present(summary);
    },
  );

  routes.get(
    '/conversations/:id/messages',
    {
      schema: {
        tags,
        summary: 'Messages, the latest first',
        params,
        querystring: pageQuerySchema,
        response: { 200: pageOf(messageSchema), '4xx': problemSchema },
      },
    },
    async (request) => {
      const { workspaceId } = await may(request, 'messages', 'read');
      const id = idOf(request.params.id);
      const page = await deps.storage.inWorkspace(workspaceId, async (tx) => {
        if (!(await deps.conversations.findSummary(tx, id))) throw notFound('conversation');
        return deps.conversations.listMessages(tx, id, definedOnly(request.query));
      });
      return { data: page.data.map(presentMessage), nextCursor: page.nextCursor };
    },
  );

  routes.post(
    '/conversations/:id/messages',
    {
      schema: {
        tags,
        summary: 'Write to the customer',
        description:
          'Queued in order; what becomes of it is told by its status. A person who writes takes the conversation over from the bot.',
        params,
        body: newMessageSchema,
        response: { 202: queuedMessageSchema, '4xx': problemSchema },
      },
    },
    async (request, reply) => {
      const access = await may(request, 'messages', 'write');
      const id = idOf(request.params.id);
      const { content, replyTo } = request.body;
      const { messageId } = await deps.storage.inWorkspace(access.workspaceId, async (tx) => {
        const summary = await deps.conversations.findSummary(tx, id);
        if (!summary) throw notFound('conversation');
        refuseUnsendable(deps, summary, content.type);
        const author = access.principal.kind === 'person' ? { authorId: access.principal.person.id } : {};
        if (access.principal.kind === 'person')
          await deps.conversations.changeConversation(tx, id, { handler: 'person', handlerUntil: null });
        return deps.outbox.queueMessage(tx, {
          conversationId: id,
          accountId: summary.accountId,
          content: content as never,
          author: 'person',
          ...author,
          ...(replyTo ? { replyTo } : {}),
        });
      });
      return reply.status(202).send({ id: toPublicId('message', messageId), status: 'queued' as const });
    },
  );
}

/** The same answer that the permit would give, before anything is queued. */
function refuseUnsendable(deps: ApiDeps, summary: ConversationSummary, type: string): void {
  const capabilities = deps.capabilitiesOf(summary.provider);
  const sends: readonly string[] = capabilities.sends;
  if (!sends.includes(type)) throw new ProblemError('not-supported', `${summary.provider} cannot send ${type}`);
  const { isWindowOpen } = presentConversation(summary, capabilities.windowHours, deps.clock.now());
  if (!isWindowOpen && type !== 'template') {
    throw new ProblemError(
      'window-closed',
      `the ${capabilities.windowHours}-hour window is closed: only a template may be sent until the customer writes`,
    );
  }
}

function idOf(text: string): ConversationId {
  const id = parseId('conversation', text);
  if (!id) throw notFound('conversation');
  return id;
}
