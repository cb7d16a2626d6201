import {
  accountTokenSchema,
  accountWebhookSchema,
  providerWebhookSchema,
  triedWebhookSchema,
} from '@switchyard/contract';
import { useMutation } from '@tanstack/vue-query';
import { ask, tell } from './client.ts';
import { guarded } from './step-up.ts';

/** Every look is written to the audit log, so a person asks for each; nothing is kept beyond the page. */
export function useTokens(id: () => string) {
  return useMutation({ mutationFn: () => ask(accountWebhookSchema, 'GET', `/accounts/${id()}/webhook`) });
}

export function useTokenActs(id: () => string) {
  const act = (name: string) => () => guarded(() => ask(accountTokenSchema, 'POST', `/accounts/${id()}/${name}`));
  return {
    rotate: useMutation({ mutationFn: act('rotate-token') }),
    undoRotation: useMutation({ mutationFn: act('undo-rotation') }),
    retire: useMutation({
      mutationFn: (tokenId: string) =>
        guarded(() => tell('POST', `/accounts/${id()}/retire-token`, { body: { tokenId } })),
    }),
  };
}

export function useProviderWebhook(id: () => string) {
  const path = () => `/accounts/${id()}`;
  return {
    find: useMutation({ mutationFn: () => ask(providerWebhookSchema, 'GET', `${path()}/provider-webhook`) }),
    set: useMutation({ mutationFn: () => guarded(() => ask(providerWebhookSchema, 'POST', `${path()}/set-webhook`)) }),
    undo: useMutation({
      mutationFn: (isForced: boolean) =>
        guarded(() => ask(providerWebhookSchema, 'POST', `${path()}/undo-webhook`, { body: { isForced } })),
    }),
    test: useMutation({ mutationFn: () => ask(triedWebhookSchema, 'POST', `${path()}/test-webhook`) }),
  };
}
