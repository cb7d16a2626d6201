/** A customer's text to each kind of account, in the provider's form and signed as it would be. */
import {
  type ServingAccount,
  type SignedRequest,
  signedByCompanion,
  signedByHub,
  signedByTwilio,
  withEvolutionKey,
} from '#accounts';

/** Of a range that is nobody's. */
const customerDigits = '15550100099';
const customerId = '1000000000000099';
const name = 'Canary';

/** `id`: of this run, so that each is an event of its own. `url`: as the provider would call it; Twilio signs it. */
export function canaryRequest(account: ServingAccount, run: { id: string; url: string; now: Date }): SignedRequest {
  const { id, now } = run;
  const { settings } = account;
  const seconds = Math.floor(now.getTime() / 1_000);
  const text = 'ping';
  switch (account.provider) {
    case 'meta':
      return signedByHub(account, {
        object: 'whatsapp_business_account',
        entry: [
          { id: settings.wabaId ?? '0', changes: [{ field: 'messages', value: metaValue(account, id, seconds) }] },
        ],
      });
    case 'instagram':
      return signedByHub(account, {
        object: 'instagram',
        entry: [
          {
            id: settings.instagramId,
            time: now.getTime(),
            messaging: [
              {
                sender: { id: customerId },
                recipient: { id: settings.instagramId },
                timestamp: now.getTime(),
                message: { mid: `canary.${id}`, text },
              },
            ],
          },
        ],
      });
    case 'twilio':
      return signedByTwilio(account, run.url, {
        AccountSid: settings.accountSid ?? '',
        MessageSid: `SM${id}`,
        From: `whatsapp:+${customerDigits}`,
        To: settings.sender ?? '',
        WaId: customerDigits,
        ProfileName: name,
        NumMedia: '0',
        SmsStatus: 'received',
        Body: text,
      });
    case 'evolution':
      return withEvolutionKey(account, {
        event: 'messages.upsert',
        instance: settings.instance,
        data: {
          key: { remoteJid: `${customerDigits}@s.whatsapp.net`, fromMe: false, id: `CANARY${id}` },
          pushName: name,
          message: { conversation: text },
          messageType: 'conversation',
          messageTimestamp: seconds,
        },
        date_time: now.toISOString(),
      });
    case 'webjs':
      return signedByCompanion(account, companionMessage(settings.session, id, { now, seconds, text }), now);
  }
}

function metaValue(account: ServingAccount, id: string, seconds: number): object {
  return {
    messaging_product: 'whatsapp',
    metadata: { display_phone_number: '', phone_number_id: account.settings.phoneNumberId },
    contacts: [{ profile: { name }, wa_id: customerDigits }],
    messages: [
      {
        from: customerDigits,
        id: `wamid.canary.${id}`,
        timestamp: String(seconds),
        type: 'text',
        text: { body: 'ping' },
      },
    ],
  };
}

function companionMessage(
  session: string | undefined,
  id: string,
  said: { now: Date; seconds: number; text: string },
): object {
  const chatId = `${customerDigits}@c.us`;
  return {
    id: `evt_${id}`,
    timestamp: said.now.getTime(),
    event: 'message',
    session,
    payload: {
      ...{ id: `false_${chatId}_CANARY${id}`, from: chatId, chatId, fromMe: false, pushName: name },
      ...{ timestamp: said.seconds, type: 'chat', body: said.text },
    },
  };
}
