import type { ProviderWebhookView } from '@switchyard/contract';
import type { ProviderWebhook } from '#accounts';

/** What the provider keeps beside it (headers, its own ids) stays here. */
export function presentProviderWebhook({
  wantedUrl,
  sets,
  found,
  match,
  undoable,
}: ProviderWebhook): ProviderWebhookView {
  return {
    wantedUrl,
    sets,
    found: found?.ok ? presentFound(found.value) : null,
    failure: found && !found.ok ? { code: found.refusal.code, detail: found.refusal.detail } : null,
    match,
    undo: undoable && { setAt: undoable.setAt.toISOString() },
  };
}

type Found = Extract<NonNullable<ProviderWebhook['found']>, { readonly ok: true }>['value'];

function presentFound({ url, isEnabled, events, level }: Found): NonNullable<ProviderWebhookView['found']> {
  return { url, isEnabled, events: events && [...events], level };
}
