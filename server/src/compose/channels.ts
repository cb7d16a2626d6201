/** The providers by name: one line each. */
import type { Provider } from '@switchyard/contract';
import { type Channel, evolutionChannel, instagramChannel, metaChannel, twilioChannel, webjsChannel } from '#channels';

export const channels = {
  meta: metaChannel,
  instagram: instagramChannel,
  twilio: twilioChannel,
  evolution: evolutionChannel,
  webjs: webjsChannel,
} as const satisfies Record<Provider, Channel>;
