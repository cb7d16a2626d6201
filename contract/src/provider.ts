/** Who carries a channel. A new provider is a line here, a folder in `channels/` and a line in `compose/`. */
export const providers = ['meta', 'instagram', 'twilio', 'evolution', 'webjs'] as const;
export type Provider = (typeof providers)[number];

/** The closed set of channels: the second part of a webhook path. */
export const channels = ['whatsapp', 'instagram'] as const;
export type ChannelName = (typeof channels)[number];

export const channelOfProvider = {
  meta: 'whatsapp',
  instagram: 'instagram',
  twilio: 'whatsapp',
  evolution: 'whatsapp',
  webjs: 'whatsapp',
} as const satisfies Record<Provider, ChannelName>;

/** Whose accounts are a phone that is linked by a QR code; the others are reached by credentials alone. */
export const pairedProviders = ['evolution', 'webjs'] as const satisfies readonly Provider[];

export function isPaired(provider: Provider): boolean {
  return pairedProviders.some((paired) => paired === provider);
}

/** Names by which payload collections and older systems call our providers (`normalize --provider`). */
export const providerAliases: Readonly<Record<string, Provider>> = {
  'meta-whatsapp': 'meta',
  'meta-instagram': 'instagram',
  'meta-page': 'instagram',
  'evolution-v1': 'evolution',
  'evolution-v2': 'evolution',
  waha: 'webjs',
  baileys: 'webjs',
};

export function parseProvider(text: string): Provider | undefined {
  const lower = text.trim().toLowerCase();
  return providers.find((provider) => provider === lower) ?? providerAliases[lower];
}
