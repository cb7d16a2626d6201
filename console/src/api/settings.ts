import { apiKeySchema, madeApiKeySchema, memberSchema, pageOf } from '@switchyard/contract';
import { useMutation, useQuery } from '@tanstack/vue-query';
import { ask, tell } from './client.ts';
import { queryClient } from './query-client.ts';

const keyPageSchema = pageOf(apiKeySchema);
const memberPageSchema = pageOf(memberSchema);
const readAgain = () => queryClient.invalidateQueries({ queryKey: ['api-keys'] });

export function useApiKeys() {
  return useQuery({
    queryKey: ['api-keys'],
    queryFn: ({ signal }) => ask(keyPageSchema, 'GET', '/api-keys', { signal }),
  });
}

export function useMakeApiKey() {
  return useMutation({
    mutationFn: (key: { name: string; scopes: string[] }) => ask(madeApiKeySchema, 'POST', '/api-keys', { body: key }),
    onSuccess: readAgain,
  });
}

export function useRevokeApiKey() {
  return useMutation({ mutationFn: (id: string) => tell('DELETE', `/api-keys/${id}`), onSuccess: readAgain });
}

export function useMembers() {
  return useQuery({
    queryKey: ['members'],
    queryFn: ({ signal }) => ask(memberPageSchema, 'GET', '/members', { signal }),
  });
}
