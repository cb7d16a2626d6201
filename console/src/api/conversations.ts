import {
  type ConversationView,
  conversationSchema,
  messageSchema,
  pageOf,
  queuedMessageSchema,
} from '@switchyard/contract';
import { useInfiniteQuery, useMutation, useQuery } from '@tanstack/vue-query';
import { computed, type Ref } from 'vue';
import { ask } from './client.ts';
import { queryClient } from './query-client.ts';

const conversationPageSchema = pageOf(conversationSchema);
const messagePageSchema = pageOf(messageSchema);

export interface ConversationFilter {
  readonly search: string;
  readonly account: string | undefined;
  readonly handler: ConversationView['handler'] | undefined;
}

export function useConversations(filter: Ref<ConversationFilter>) {
  const query = useInfiniteQuery({
    queryKey: ['conversations', filter],
    queryFn: ({ pageParam, signal }) =>
      ask(conversationPageSchema, 'GET', '/conversations', {
        query: { ...filter.value, limit: 50, cursor: pageParam },
        signal,
      }),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.nextCursor ?? undefined,
    placeholderData: (before) => before,
  });
  const conversations = computed(() => query.data.value?.pages.flatMap((page) => page.data) ?? []);
  return { query, conversations };
}

export function useConversation(id: Ref<string>) {
  return useQuery({
    queryKey: ['conversation', id],
    queryFn: ({ signal }) => ask(conversationSchema, 'GET', `/conversations/${id.value}`, { signal }),
  });
}

/** Oldest first, as a thread is read. */
export function useMessages(id: Ref<string>) {
  const query = useInfiniteQuery({
    queryKey: ['messages', id],
    queryFn: ({ pageParam, signal }) =>
      ask(messagePageSchema, 'GET', `/conversations/${id.value}/messages`, {
        query: { limit: 50, cursor: pageParam },
        signal,
      }),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.nextCursor ?? undefined,
  });
  const messages = computed(() => query.data.value?.pages.flatMap((page) => page.data).reverse() ?? []);
  return { query, messages };
}

export interface ConversationChange {
  readonly id: string;
  readonly change: { readonly handler?: 'bot' | 'person'; readonly isRead?: true };
}

export function useConversationChange() {
  return useMutation({
    mutationFn: ({ id, change }: ConversationChange) =>
      ask(conversationSchema, 'PATCH', `/conversations/${id}`, { body: change }),
    onSuccess(changed) {
      queryClient.setQueryData(['conversation', changed.id], changed);
      return queryClient.invalidateQueries({ queryKey: ['conversations'] });
    },
  });
}

export interface Reply {
  readonly conversationId: string;
  readonly text: string;
  /** Made once a reply, however often it is tried. */
  readonly idempotencyKey: string;
}

export function sendReply({ conversationId, text, idempotencyKey }: Reply) {
  return ask(queuedMessageSchema, 'POST', `/conversations/${conversationId}/messages`, {
    body: { content: { type: 'text', text } },
    idempotencyKey,
  });
}
