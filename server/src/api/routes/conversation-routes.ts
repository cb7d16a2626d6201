import { conversationChangeSchema, conversationSchema, pageOf, pageQuerySchema } from '@switchyard/contract';
import { z } from 'zod';
import type { ConversationSummary } from '#conversations';
import { checkCursor } from '../cursor.ts';
import type { ApiDeps } from '../deps.ts';
import { accessOf } from '../guard.ts';
import { pathId, queryId } from '../ids.ts';
import { presentConversation } from '../present/conversation.ts';
import { notFound } from '../problem.ts';
import { failures, idParams, type Routes } from '../schemas.ts';

const query = pageQuerySchema.extend({
  account: z.string().max(100).exactOptional(),
  handler: z.enum(['bot', 'person']).exactOptional(),
  search: z.string().max(100).exactOptional(),
});
const tags = ['conversations'];

export async function conversationRoutes(routes: Routes, deps: ApiDeps): Promise<void> {
  const present = (summary: ConversationSummary) =>
    presentConversation(summary, deps.capabilitiesOf(summary.provider).windowHours, deps.clock.now());
  readRoutes(routes, deps, present);
  changeRoute(routes, deps, present);
}

type Present = (summary: ConversationSummary) => z.infer<typeof conversationSchema>;

function readRoutes(routes: Routes, deps: ApiDeps, present: Present): void {
  routes.get(
    '/conversations',
    {
      config: { isHeavy: true, access: { resource: 'conversations', action: 'read' } },
      schema: {
        tags,
        summary: 'Conversations, the latest first',
        querystring: query,
        response: { 200: pageOf(conversationSchema), ...failures },
      },
    },
    async (request) => {
      const { account, ...wanted } = request.query;
      const accountId = queryId('account', account);
      checkCursor(wanted.cursor, ['instant', 'uuid']);
      const page = await deps.storage.inWorkspace(accessOf(request).workspaceId, (tx) =>
        deps.conversations.listConversations(tx, { ...wanted, ...(accountId ? { accountId } : {}) }),
      );
      return { data: page.data.map(present), nextCursor: page.nextCursor };
    },
  );

  routes.get(
    '/conversations/:id',
    {
      config: { access: { resource: 'conversations', action: 'read' } },
      schema: {
        tags,
        summary: 'One conversation',
        params: idParams,
        response: { 200: conversationSchema, ...failures },
      },
    },
    async (request) => {
      const id = pathId('conversation', request.params.id);
      const summary = await deps.storage.inWorkspace(accessOf(request).workspaceId, (tx) =>
        deps.conversations.findSummary(tx, id),
      );
      if (!summary) throw notFound('conversation');
      return present(summary);
    },
  );
}

function changeRoute(routes: Routes, deps: ApiDeps, present: Present): void {
  routes.patch(
    '/conversations/:id',
    {
      config: { access: { resource: 'conversations', action: 'write' } },
      schema: {
        tags,
        summary: 'Take over from the bot, hand back, mark as read',
        params: idParams,
        body: conversationChangeSchema,
        response: { 200: conversationSchema, ...failures },
      },
    },
    async (request) => {
      const id = pathId('conversation', request.params.id);
      const { handler, isRead } = request.body;
      const summary = await deps.storage.inWorkspace(accessOf(request).workspaceId, async (tx) => {
        const found = await deps.conversations.findSummary(tx, id);
        if (!found) throw notFound('conversation');
        if (handler) await deps.conversations.changeConversation(tx, id, { handler, handlerUntil: null });
        const readId = isRead ? await deps.conversations.markRead(tx, id) : null;
        if (readId) {
          const { accountId, address: chat } = found;
          deps.outbox.markRead(tx, { accountId, providerMessageId: readId, chat });
        }
        deps.noteChange(tx, 'conversation', [id]);
        return deps.conversations.findSummary(tx, id);
      });
      if (!summary) throw notFound('conversation');
      return present(summary);
    },
  );
}
