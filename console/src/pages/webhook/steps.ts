import type { Provider } from '@switchyard/contract';
import type { TFunction } from 'i18next';

/** Behind Twilio's URL: it then repeats what fails, and neither sends nor signs that part. */
const twilioSuffix = '#rc=5&rp=all';
const evolutionEvents =
  'MESSAGES_UPSERT, MESSAGES_UPDATE, MESSAGES_DELETE, SEND_MESSAGE, CONNECTION_UPDATE, QRCODE_UPDATED';

/** How a person sets the webhook in the provider's own pages, whose names are not translated there either. */
export function stepsOf(provider: Provider, t: TFunction): readonly string[] {
  switch (provider) {
    case 'meta':
      return [t('webhook.step.meta'), t('webhook.step.paste'), t('webhook.step.metaFields')];
    case 'instagram':
      return [t('webhook.step.instagram'), t('webhook.step.paste'), t('webhook.step.instagramFields')];
    case 'twilio':
      return [t('webhook.step.twilio'), t('webhook.step.twilioPaste', { suffix: twilioSuffix })];
    case 'evolution':
      return [t('webhook.step.evolution'), t('webhook.step.evolutionPaste', { events: evolutionEvents })];
    case 'webjs':
      return [t('webhook.step.webjs')];
  }
}
