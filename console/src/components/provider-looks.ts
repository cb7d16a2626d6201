import type { Provider } from '@switchyard/contract';

/** How each provider is told apart at a glance: a picture and a tint, beside its name and never instead of it. */
export const providerLooks = {
  meta: { icon: 'i-lucide-message-circle', tint: 'bg-emerald-500/15 text-emerald-800 dark:text-emerald-300' },
  instagram: { icon: 'i-lucide-instagram', tint: 'bg-pink-500/15 text-pink-800 dark:text-pink-300' },
  twilio: { icon: 'i-lucide-cloud', tint: 'bg-red-500/15 text-red-800 dark:text-red-300' },
  evolution: { icon: 'i-lucide-blocks', tint: 'bg-sky-500/15 text-sky-800 dark:text-sky-300' },
  webjs: { icon: 'i-lucide-globe', tint: 'bg-violet-500/15 text-violet-800 dark:text-violet-300' },
} as const satisfies Record<Provider, { readonly icon: string; readonly tint: string }>;
