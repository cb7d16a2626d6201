import {
  type MessageId,
  messageSchema,
  newMessageSchema,
  type OutboundContent,
  pageOf,
  pageQuerySchema,
  queuedMessageSchema,
  settlementSchema,
  toPublicId,
} from '@switchyard/contract';
import { type ConversationSummary, windowAt } from '#conversations';
import type { WorkspaceTx } from '#storage';
import type { Access } from '../access.ts';
import { checkCursor } from '../cursor.ts';
import type { ApiDeps } from '../deps.ts';
import { accessOf } from '../guard.ts';
import { pathId } from '../ids.ts';
import { presentMessage } from '../present/conversation.ts';
import { notFound, ProblemError } from '../problem.ts';
import { failures, idParams, type Routes } from '../schemas.ts';

const tags = ['messages'];

export async function messageRoutes(routes: Routes, deps: ApiDeps): Promise<void> {
  readRoutes(routes, deps);
  writeRoute(routes, deps);
  settleRoute(routes, deps);
}

function readRoutes(routes: Routes, deps: ApiDeps): void {
  routes.get(
    '/conversations/:id/messages',
    {
      config: { access: { resource: 'messages', action: 'read' } },
      schema: {
        tags,
        summary: 'Messages, the latest first',
        params: idParams,
        querystring: pageQuerySchema,
        response: { 200: pageOf(messageSchema), ...failures },
      },
    },
    async (request) => {
      const id = pathId('conversation', request.params.id);
      checkCursor(request.query.cursor, ['instant', 'uuid']);
      const page = await deps.storage.inWorkspace(accessOf(request).workspaceId, async (tx) => {
        if (!(await deps.conversations.findSummary(tx, id))) throw notFound('conversation');
        return deps.conversations.listMessages(tx, id, request.query);
      });
      return { data: page.data.map(presentMessage), nextCursor: page.nextCursor };
    },
  );

  routes.get(
    '/messages/:id',
    {
      config: { access: { resource: 'messages', action: 'read' } },
      schema: { tags, summary: 'One message', params: idParams, response: { 200: messageSchema, ...failures } },
    },
    async (request) => {
      const id = pathId('message', request.params.id);
      return deps.storage.inWorkspace(accessOf(request).workspaceId, (tx) => loadMessage(deps, tx, id));
    },
  );
}

function writeRoute(routes: Routes, deps: ApiDeps): void {
  routes.post(
    '/conversations/:id/messages',
    {
      config: { access: { resource: 'messages', action: 'write' } },
      schema: {
        tags,
        summary: 'Write to the customer',
        description:
          'Queued in order; what becomes of it is told by its status. While the account is not connected it waits and says why; 409 with the `state` where the account was removed or is switched off. A person who writes takes the conversation over from the bot.',
        params: idParams,
        body: newMessageSchema,
        response: { 202: queuedMessageSchema, ...failures },
      },
    },
    async (request, reply) => {
      const access = accessOf(request);
      const id = pathId('conversation', request.params.id);
      const { content, replyTo } = request.body;
      const messageId = await deps.storage.inWorkspace(access.workspaceId, async (tx) => {
        const summary = await deps.conversations.findSummary(tx, id);
        if (!summary) throw notFound('conversation');
        refuseUnsendable(deps, summary, content.type);
        await refuseUnserved(deps, access, summary);
        return queue(deps, tx, { access, summary, content, replyTo });
      });
      return reply.status(202).send({ id: toPublicId('message', messageId), status: 'queued' });
    },
  );
}

interface Reply {
  readonly access: Access;
  readonly summary: ConversationSummary;
  readonly content: OutboundContent;
  readonly replyTo: string | undefined;
}

async function queue(deps: ApiDeps, tx: WorkspaceTx, reply: Reply): Promise<MessageId> {
  const { id, accountId } = reply.summary;
  const { principal } = reply.access;
  const author = principal.kind === 'person' ? { authorId: principal.person.id } : {};
  if (principal.kind === 'person')
    await deps.conversations.changeConversation(tx, id, { handler: 'person', handlerUntil: null });
  const answered = reply.replyTo === undefined ? {} : { replyTo: reply.replyTo };
  const message = { conversationId: id, accountId, content: reply.content, author: 'person' as const };
  return (await deps.outbox.queueMessage(tx, { ...message, ...author, ...answered })).messageId;
}

/** The same answer that the permit would give, before anything is queued. */
function refuseUnsendable(deps: ApiDeps, summary: ConversationSummary, type: OutboundContent['type']): void {
  const { sends, windowHours } = deps.capabilitiesOf(summary.provider);
  if (!sends.some((sendable) => sendable === type))
    throw new ProblemError('not-supported', `${summary.provider} cannot send ${type}`);
  if (type === 'template' || windowAt(summary, windowHours, deps.clock.now()).kind === 'open') return;
  throw new ProblemError(
    'window-closed',
    `the ${windowHours}-hour window is closed: only a template may be sent until the customer writes`,
  );
}

/** A removed account and one that is switched off send nothing, now or later. One that is not connected holds what is queued. */
async function refuseUnserved(
  deps: ApiDeps,
  { workspaceId }: Access,
  { accountId }: ConversationSummary,
): Promise<void> {
  const account = await deps.accounts.findServing(workspaceId, accountId);
  if (!account || account.isDeleted)
    throw new ProblemError('account-removed', 'the account was removed: restore it to write', { state: 'removed' });
  if (!account.isActive)
    throw new ProblemError('account-inactive', 'the account is switched off', { state: 'inactive' });
}

function settleRoute(routes: Routes, deps: ApiDeps): void {
  routes.post(
    '/messages/:id/settle',
    {
      config: { access: { resource: 'messages', action: 'write' } },
      schema: {
        tags,
        summary: 'Settle an uncertain message',
        description:
          'Nobody can say whether it went out. `send-again` sends it once more, so that it may arrive twice; `leave` lets it be.',
        params: idParams,
        body: settlementSchema,
        response: { 200: messageSchema, ...failures },
      },
    },
    async (request) => {
      const { workspaceId, actor } = accessOf(request);
      const id = pathId('message', request.params.id);
      const { choice } = request.body;
      return deps.storage.inWorkspace(workspaceId, async (tx) => {
        await loadMessage(deps, tx, id);
        const outbound = await deps.outbox.findOutbound(tx, id);
        const isSettled = outbound !== null && (await deps.outbox.settleUncertain(tx, outbound.outboundId, choice));
        if (!isSettled) throw new ProblemError('not-uncertain', 'it is known what became of this message');
        const resource = `message ${toPublicId('message', id)}`;
        await deps.workspaces.audit(tx, { actor, action: 'settle', resource, fields: { choice } });
        deps.noteChange(tx, 'message', [id]);
        return loadMessage(deps, tx, id);
      });
    },
  );
}

async function loadMessage(deps: ApiDeps, tx: WorkspaceTx, id: MessageId) {
  const message = await deps.conversations.findMessage(tx, id);
  if (!message) throw notFound('message');
  return presentMessage(message);
}
