import { apiKeySchema, madeApiKeySchema, pageOf } from '@switchyard/contract';
import { useInfiniteQuery, useMutation } from '@tanstack/vue-query';
import { ask, tell } from './client.ts';
import { queryClient } from './query-client.ts';
import { guarded } from './step-up.ts';

const keyPageSchema = pageOf(apiKeySchema);
const readAgain = () => queryClient.invalidateQueries({ queryKey: ['api-keys'] });

export function useApiKeys() {
  return useInfiniteQuery({
    queryKey: ['api-keys'],
    queryFn: ({ pageParam, signal }) =>
      ask(keyPageSchema, 'GET', '/api-keys', { query: { cursor: pageParam }, signal }),
    initialPageParam: '',
    getNextPageParam: (page) => page.nextCursor,
  });
}

export interface NewApiKey {
  readonly name: string;
  readonly scopes: readonly string[];
  readonly expiresAt?: string;
}

export function useMakeApiKey() {
  return useMutation({
    mutationFn: (key: NewApiKey) => guarded(() => ask(madeApiKeySchema, 'POST', '/api-keys', { body: key })),
    onSuccess: readAgain,
  });
}

export function useRevokeApiKey() {
  return useMutation({ mutationFn: (id: string) => tell('DELETE', `/api-keys/${id}`), onSuccess: readAgain });
}
