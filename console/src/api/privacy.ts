import {
  contactExportSchema,
  erasureSchema,
  pageOf,
  type RetentionView,
  reconcileAskedSchema,
  reconciliationListSchema,
  retentionSchema,
} from '@switchyard/contract';
import { useMutation, useQuery } from '@tanstack/vue-query';
import { computed, type Ref, ref } from 'vue';
import { ask } from './client.ts';
import { queryClient } from './query-client.ts';
import { guarded } from './step-up.ts';

const erasurePageSchema = pageOf(erasureSchema);

export type Policy = Pick<RetentionView, 'deliveryDays' | 'attemptDays'>;

/** The policy as it is; with `proposed`, what it would take if that were the policy. */
export function useRetention(proposed: Ref<Policy | null>) {
  return useQuery({
    queryKey: ['retention', proposed],
    queryFn: ({ signal }) => ask(retentionSchema, 'GET', '/retention', { query: { ...proposed.value }, signal }),
    placeholderData: (before) => before,
  });
}

export function useRetentionChange() {
  return useMutation({
    mutationFn: (policy: Policy) => guarded(() => ask(retentionSchema, 'PATCH', '/retention', { body: policy })),
    onSuccess: () => queryClient.invalidateQueries({ queryKey: ['retention'] }),
  });
}

const followMs = 2_000;

/** Looked at again while one is under way. */
export function useErasures() {
  const query = useQuery({
    queryKey: ['erasures'],
    queryFn: ({ signal }) => ask(erasurePageSchema, 'GET', '/erasures', { query: { limit: 50 }, signal }),
    refetchInterval: ({ state }) => (state.data?.data.some(({ phase }) => phase !== 'done') ? followMs : false),
  });
  return { query, erasures: computed(() => query.data.value?.data ?? []) };
}

export function useEraseContact() {
  return useMutation({
    mutationFn: (contactId: string) =>
      guarded(() => ask(erasureSchema, 'POST', `/contacts/${contactId}/erase`, { body: { confirm: 'erase' } })),
    onSuccess: () =>
      Promise.all([
        queryClient.invalidateQueries({ queryKey: ['conversations'] }),
        queryClient.invalidateQueries({ queryKey: ['erasures'] }),
      ]),
  });
}

/** Each look is written to the audit log, so it is asked for by a person and never kept. */
export function useExportContact() {
  return useMutation({
    mutationFn: (contactId: string) => guarded(() => ask(contactExportSchema, 'GET', `/contacts/${contactId}/export`)),
  });
}

/** How long a worker may take to begin with what was asked of it. */
const beginMs = 60_000;

/** The latest look at what the account's provider keeps, and a way to ask for another, which a worker begins a little later. */
export function useReconciliation(accountId: string) {
  const queryKey = ['reconciliations', accountId];
  const askedAtMs = ref(0);
  const query = useQuery({
    queryKey,
    queryFn: ({ signal }) => ask(reconciliationListSchema, 'GET', `/accounts/${accountId}/reconciliations`, { signal }),
    refetchInterval: ({ state }) => {
      const found = state.data?.data[0];
      const isAwaited = Date.now() - askedAtMs.value < beginMs && !hasBegunSince(found, askedAtMs.value);
      return isAwaited || found?.state === 'running' ? followMs : false;
    },
  });
  const reconcile = useMutation({
    mutationFn: () => ask(reconcileAskedSchema, 'POST', `/accounts/${accountId}/reconcile`, { body: {} }),
    onSuccess: ({ until }) => {
      // By the server's clock, as the looks are.
      askedAtMs.value = Date.parse(until);
      return queryClient.invalidateQueries({ queryKey });
    },
  });
  return { last: computed(() => query.data.value?.data[0] ?? null), reconcile };
}

function hasBegunSince(found: { readonly startedAt: string } | undefined, askedAtMs: number): boolean {
  return found !== undefined && Date.parse(found.startedAt) >= askedAtMs - 1_000;
}
