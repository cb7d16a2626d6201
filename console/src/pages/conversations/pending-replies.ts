/**
 * Replies that were written here and are not in the list yet. One is `sending` until the server took it, then stands
 * in for the real message until that is in the list, and `failed` when it was refused: a person tries again or
 * discards it. Trying again carries the same key, so that a reply whose answer got lost is not sent twice.
 */
import type { MessageView } from '@switchyard/contract';
import { computed, type Ref, ref } from 'vue';
import { sendReply } from '../../api/conversations.ts';
import { queryClient } from '../../api/query-client.ts';

export interface PendingReply {
  readonly key: string;
  readonly text: string;
  readonly writtenAt: string;
  readonly state:
    | { readonly kind: 'sending' }
    | { readonly kind: 'taken'; readonly id: string }
    | { readonly kind: 'failed'; readonly error: unknown };
}

export function usePendingReplies(conversationId: string, messages: Ref<readonly MessageView[]>) {
  const replies = ref<PendingReply[]>([]);
  const pending = computed(() => {
    const known = new Set(messages.value.map(({ id }) => id));
    return replies.value.filter(({ state }) => state.kind !== 'taken' || !known.has(state.id));
  });

  function put(reply: PendingReply): void {
    replies.value = [...replies.value.filter(({ key }) => key !== reply.key), reply];
  }

  async function send(reply: PendingReply): Promise<void> {
    put({ ...reply, state: { kind: 'sending' } });
    try {
      const { id } = await sendReply({ conversationId, text: reply.text, idempotencyKey: reply.key });
      put({ ...reply, state: { kind: 'taken', id } });
    } catch (error) {
      put({ ...reply, state: { kind: 'failed', error } });
      return;
    }
    await Promise.all(
      ['messages', 'conversation', 'conversations'].map((key) => queryClient.invalidateQueries({ queryKey: [key] })),
    );
  }

  return {
    pending,
    write: (text: string) =>
      send({ key: crypto.randomUUID(), text, writtenAt: new Date().toISOString(), state: { kind: 'sending' } }),
    retry: send,
    discard: (key: string) => {
      replies.value = replies.value.filter((reply) => reply.key !== key);
    },
  };
}
