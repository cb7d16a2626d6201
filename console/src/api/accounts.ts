import {
  accountSchema,
  accountTokenSchema,
  accountWebhookSchema,
  madeAccountSchema,
  type Provider,
  pageOf,
} from '@switchyard/contract';
import { useMutation, useQuery } from '@tanstack/vue-query';
import { computed } from 'vue';
import { ask } from './client.ts';
import { queryClient } from './query-client.ts';

const accountPageSchema = pageOf(accountSchema);

export interface NewAccount {
  readonly provider: Provider;
  readonly name?: string;
  readonly phoneNumber?: string;
  readonly settings: Readonly<Record<string, string>>;
  readonly secrets: Readonly<Record<string, string>>;
  readonly isActive: boolean;
}

export function useAccounts() {
  const query = useQuery({
    queryKey: ['accounts'],
    queryFn: ({ signal }) => ask(accountPageSchema, 'GET', '/accounts', { signal }),
  });
  return { query, accounts: computed(() => query.data.value?.data ?? []) };
}

const readAgain = () => queryClient.invalidateQueries({ queryKey: ['accounts'] });

export function useAddAccount() {
  return useMutation({
    mutationFn: (account: NewAccount) =>
      ask(madeAccountSchema, 'POST', '/accounts', { body: account, idempotencyKey: crypto.randomUUID() }),
    onSuccess: readAgain,
  });
}

export function useSetPrimary() {
  return useMutation({
    mutationFn: (id: string) => ask(accountSchema, 'POST', `/accounts/${id}/set-primary`),
    onSuccess: readAgain,
  });
}

export function useRotateToken() {
  return useMutation({
    mutationFn: (id: string) => ask(accountTokenSchema, 'POST', `/accounts/${id}/rotate-token`),
    onSuccess: readAgain,
  });
}

/** Each look is written to the audit log, so it is asked for by a person and never kept. */
export function useShowWebhook() {
  return useMutation({ mutationFn: (id: string) => ask(accountWebhookSchema, 'GET', `/accounts/${id}/webhook`) });
}
