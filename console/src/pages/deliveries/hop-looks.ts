import type { Hop } from '@switchyard/contract';

export const hopIcons = {
  received: 'i-lucide-webhook',
  normalised: 'i-lucide-scan-line',
  event: 'i-lucide-radio',
  turn: 'i-lucide-workflow',
  queued: 'i-lucide-inbox',
  attempt: 'i-lucide-send',
  receipt: 'i-lucide-check-check',
  'dead-letter': 'i-lucide-skull',
} as const satisfies Record<Hop['kind'], string>;
