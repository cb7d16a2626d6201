import {
  type AccountStatisticsView,
  accountHealthSchema,
  accountSchema,
  accountStatisticsSchema,
  accountStatusSchema,
  accountTokenSchema,
  accountWebhookSchema,
  endSchema,
  healthyAccountSchema,
  madeAccountSchema,
  type Provider,
  pageOf,
  providerSchema,
} from '@switchyard/contract';
import { keepPreviousData, useMutation, useQuery } from '@tanstack/vue-query';
import { computed, type Ref } from 'vue';
import { ask, tell } from './client.ts';
import { queryClient } from './query-client.ts';
import { guarded } from './step-up.ts';

const accountPageSchema = pageOf(healthyAccountSchema);

export interface NewAccount {
  readonly provider: Provider;
  readonly name?: string;
  readonly phoneNumber?: string;
  readonly settings: Readonly<Record<string, string>>;
  readonly secrets: Readonly<Record<string, string>>;
  readonly isActive: boolean;
}

export interface AccountChange extends Partial<Omit<NewAccount, 'provider'>> {
  readonly businessName?: string;
  /** Instants; null: not known to end. */
  readonly secretEnds?: Readonly<Record<string, string | null>>;
}

/** The most that one page of the interface holds: more accounts than that nobody reads as cards. */
const maxAccounts = 200;

function readAccounts(removed: boolean) {
  const query = useQuery({
    queryKey: ['accounts', { removed }],
    queryFn: ({ signal }) =>
      ask(accountPageSchema, 'GET', '/accounts', { query: { limit: maxAccounts, removed: String(removed) }, signal }),
  });
  return { query, accounts: computed(() => query.data.value?.data ?? []) };
}

export const useAccounts = () => readAccounts(false);
export const useRemovedAccounts = () => readAccounts(true);

/** All keys begin with `accounts`, which live events name. */
export function useAccount(id: Ref<string>) {
  return useQuery({
    queryKey: ['accounts', id],
    queryFn: ({ signal }) => ask(healthyAccountSchema, 'GET', `/accounts/${id.value}`, { signal }),
  });
}

export function useAccountHealth(id: Ref<string>) {
  return useQuery({
    queryKey: ['accounts', id, 'health'],
    queryFn: ({ signal }) => ask(accountHealthSchema, 'GET', `/accounts/${id.value}/health`, { signal }),
  });
}

export function useAccountStatus(id: Ref<string>) {
  return useQuery({
    queryKey: ['accounts', id, 'status'],
    queryFn: ({ signal }) => ask(accountStatusSchema, 'GET', `/accounts/${id.value}/status`, { signal }),
  });
}

/** Days are the workspace's. Figures of an hour need no live events: they are read anew every minute. */
export function useStatistics(id: Ref<string>, by: Ref<AccountStatisticsView['by']>) {
  return useQuery({
    queryKey: ['statistics', id, by],
    queryFn: ({ signal }) =>
      ask(accountStatisticsSchema, 'GET', `/accounts/${id.value}/statistics`, {
        query: { by: by.value },
        signal,
      }),
    refetchInterval: 60_000,
    placeholderData: keepPreviousData,
  });
}

export function useEnds(isEnabled: boolean) {
  return useQuery({
    queryKey: ['accounts', 'ends'],
    queryFn: ({ signal }) => ask(pageOf(endSchema), 'GET', '/ends', { signal }),
    enabled: isEnabled,
  });
}

/** What accounts are made of changes with the server's version only. */
export function useProviders() {
  return useQuery({
    queryKey: ['providers'],
    queryFn: ({ signal }) => ask(pageOf(providerSchema), 'GET', '/providers', { signal }),
    staleTime: Number.POSITIVE_INFINITY,
  });
}

const readAgain = () => queryClient.invalidateQueries({ queryKey: ['accounts'] });

export function useAddAccount() {
  return useMutation({
    mutationFn: (account: NewAccount) =>
      ask(madeAccountSchema, 'POST', '/accounts', { body: account, idempotencyKey: crypto.randomUUID() }),
    onSuccess: readAgain,
  });
}

export function useChangeAccount() {
  return useMutation({
    mutationFn: ({ id, change }: { readonly id: string; readonly change: AccountChange }) =>
      guarded(() => ask(accountSchema, 'PATCH', `/accounts/${id}`, { body: change })),
    onSettled: readAgain,
  });
}

export type AccountAct = 'set-primary' | 'reconnect' | 'disconnect';

/** Reads anew when it was refused, too: then the state is another than was shown. */
export function useAccountAct() {
  return useMutation({
    mutationFn: ({ id, act }: { readonly id: string; readonly act: AccountAct }) =>
      ask(accountSchema, 'POST', `/accounts/${id}/${act}`),
    onSettled: readAgain,
  });
}

export function useRemoveAccount() {
  return useMutation({
    mutationFn: (id: string) => guarded(() => tell('DELETE', `/accounts/${id}`)),
    onSettled: readAgain,
  });
}

export function useRestoreAccount() {
  return useMutation({
    mutationFn: (id: string) => guarded(() => ask(madeAccountSchema, 'POST', `/accounts/${id}/restore`)),
    onSettled: readAgain,
  });
}

export function useRotateToken() {
  return useMutation({
    mutationFn: (id: string) => guarded(() => ask(accountTokenSchema, 'POST', `/accounts/${id}/rotate-token`)),
    onSuccess: readAgain,
  });
}

/** Each look is written to the audit log, so it is asked for by a person and never kept. */
export function useShowWebhook() {
  return useMutation({ mutationFn: (id: string) => ask(accountWebhookSchema, 'GET', `/accounts/${id}/webhook`) });
}
