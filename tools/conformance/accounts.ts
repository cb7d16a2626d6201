/** Which account a payload needs, by the provider ids that its events name. Pure. */
import type { Provider } from '../../contract/src/index.ts';
import type { NormalisedEntry } from './normalised.ts';
import type { WantedAccount } from './shop.ts';

/** A number that nobody has, for what an account must hold and a payload does not name. */
const noNumber = '900000000000000';

type Ids = ReadonlyMap<string, string>;

/** One for each event; events that name nobody need none of their own. */
export function accountsOf({ entry, normalised }: NormalisedEntry): readonly WantedAccount[] {
  const wanted = normalised.events.flatMap(({ bindings }) => {
    const ids = new Map(bindings.map(({ kind, value }) => [kind, value]));
    return ids.size === 0 ? [] : [{ provider: entry.provider, settings: settingsOf(entry.provider, ids) }];
  });
  const unlike = new Map(wanted.map((account) => [accountKey(account), account]));
  if (unlike.size > 0) return [...unlike.values()];
  return [{ provider: entry.provider, settings: settingsOf(entry.provider, new Map()) }];
}

export function accountKey({ provider, settings }: WantedAccount): string {
  return `${provider} ${JSON.stringify(settings)}`;
}

function settingsOf(provider: Provider, ids: Ids): Record<string, string> {
  switch (provider) {
    case 'meta': {
      const phoneNumberId = ids.get('phone_number_id');
      const wabaId = ids.get('waba_id');
      if (phoneNumberId || !wabaId) return { phoneNumberId: phoneNumberId ?? noNumber };
      return { phoneNumberId: `${noNumber}${wabaId}`, wabaId };
    }
    case 'instagram':
      return { instagramId: ids.get('instagram_id') ?? noNumber };
    case 'twilio':
      // Without a sender, as behind a messaging service: the documents' examples share numbers among accounts.
      return { accountSid: ids.get('twilio_account') ?? `AC${'0'.repeat(32)}` };
    case 'evolution':
      return { instance: ids.get('instance') ?? 'nobody' };
    case 'webjs':
      return { session: ids.get('session') ?? 'nobody' };
  }
}
