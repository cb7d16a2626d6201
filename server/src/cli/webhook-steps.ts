import type { TokenListing } from '#accounts';

/** How a person sets the webhook at the provider where no call can or may. Names of pages are the providers' own. */
export function stepsOf({ account, webhookUrl }: TokenListing): readonly string[] {
  const { settings } = account;
  switch (account.provider) {
    case 'meta':
      return [
        'developers.facebook.com → My Apps → your app → WhatsApp → Configuration → Webhook → Edit.',
        `Callback URL: ${webhookUrl}`,
        'Verify token: the account’s verifyToken. Verify and save.',
        'Webhook fields → Manage: subscribe to messages.',
      ];
    case 'instagram':
      return [
        'developers.facebook.com → My Apps → your app → Instagram → API setup → Configure webhooks.',
        `Callback URL: ${webhookUrl}`,
        'Verify token: the account’s verifyToken. Verify and save, and subscribe to messages.',
        'Then set the account’s own subscription: switchyard webhook set.',
      ];
    case 'twilio':
      return [
        settings.messagingServiceSid
          ? `console.twilio.com → Messaging → Services → ${settings.messagingServiceSid} → Integration → Send a webhook.`
          : `console.twilio.com → Messaging → Senders → WhatsApp senders → ${settings.sender ?? 'your sender'} → Edit.`,
        `Webhook URL for incoming messages, by POST: ${webhookUrl}#rc=5&rp=all`,
        'The part behind # makes Twilio repeat what fails; without it a failure loses the message. Save.',
      ];
    case 'evolution':
      return [
        `Manager of the server → ${settings.instance ?? 'your instance'} → Events → Webhook: Enabled.`,
        `URL: ${webhookUrl}`,
        'Webhook by events: off. Events: MESSAGES_UPSERT, MESSAGES_UPDATE, MESSAGES_DELETE, SEND_MESSAGE, CONNECTION_UPDATE, QRCODE_UPDATED. Save.',
      ];
    case 'webjs':
      return [
        `Give the companion this URL as its webhook: ${webhookUrl}`,
        'And the account’s webhookKey to sign with.',
      ];
  }
}
