import { type DeliveryView, deliverySchema, pageOf, replayedSchema, traceSchema } from '@switchyard/contract';
import { useInfiniteQuery, useMutation, useQuery } from '@tanstack/vue-query';
import { computed, type Ref } from 'vue';
import { ask } from './client.ts';
import { queryClient } from './query-client.ts';

const deliveryPageSchema = pageOf(deliverySchema);

export interface DeliveryFilter {
  readonly account: string | undefined;
  readonly state: DeliveryView['state'] | undefined;
}

export function useDeliveries(filter: Ref<DeliveryFilter>) {
  const query = useInfiniteQuery({
    queryKey: ['deliveries', filter],
    queryFn: ({ pageParam, signal }) =>
      ask(deliveryPageSchema, 'GET', '/deliveries', {
        query: { ...filter.value, limit: 50, cursor: pageParam },
        signal,
      }),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.nextCursor ?? undefined,
  });
  const deliveries = computed(() => query.data.value?.pages.flatMap((page) => page.data) ?? []);
  return { query, deliveries };
}

export function useDelivery(id: Ref<string>) {
  return useQuery({
    queryKey: ['delivery', id],
    queryFn: ({ signal }) => ask(traceSchema, 'GET', `/deliveries/${id.value}`, { signal }),
  });
}

export function useReplay() {
  return useMutation({
    mutationFn: (id: string) => ask(replayedSchema, 'POST', `/deliveries/${id}/replay`),
    onSuccess: (_replayed, id) => queryClient.invalidateQueries({ queryKey: ['delivery', id] }),
  });
}
