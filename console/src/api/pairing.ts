import { type PairingView, pairingSchema } from '@switchyard/contract';
import { useMutation, useQuery } from '@tanstack/vue-query';
import type { Ref } from 'vue';
import { ask } from './client.ts';
import { queryClient } from './query-client.ts';

const keyOf = (id: string) => ['pairing', id];

/** Read while it is shown; the stream of changes has it read anew. */
export function usePairing(id: string, isShown: Ref<boolean>) {
  return useQuery({
    queryKey: keyOf(id),
    queryFn: ({ signal }) => ask(pairingSchema, 'GET', `/accounts/${id}/pairing`, { signal }),
    enabled: isShown,
  });
}

export function useRegenerateQr(id: string) {
  return useMutation({
    mutationFn: () => ask(pairingSchema, 'POST', `/accounts/${id}/regenerate-qr`),
    onSuccess: (pairing: PairingView) => queryClient.setQueryData(keyOf(id), pairing),
    onSettled: () => queryClient.invalidateQueries({ queryKey: ['accounts'] }),
  });
}
