/** A harmless delivery in each provider's form, signed as the provider would: what a test of a webhook sends. */
import { createHmac, randomBytes } from 'node:crypto';
import type { ServingAccount } from './accounts.ts';

export interface TestRequest {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** Carries no customer's message: a template's status, a page's empty entry, a connection state. */
export function signedTestRequest(account: ServingAccount, url: string, now: Date): TestRequest {
  switch (account.provider) {
    case 'meta':
      return signedByHub(account, {
        object: 'whatsapp_business_account',
        entry: [
          {
            id: account.settings.wabaId ?? '0',
            time: seconds(now),
            changes: [
              { field: 'account_alerts', value: { alert_type: 'SWITCHYARD_TEST', alert_info: now.toISOString() } },
            ],
          },
        ],
      });
    case 'instagram':
      return signedByHub(account, {
        object: 'instagram',
        entry: [{ id: account.settings.instagramId, time: now.getTime(), messaging: [] }],
      });
    case 'twilio':
      return signedByTwilio(account, url);
    case 'evolution':
      return {
        headers: {
          'content-type': 'application/json',
          apikey: account.secrets.webhookSecret ?? account.secrets.apiKey ?? '',
        },
        body: JSON.stringify({
          event: 'application.startup',
          instance: account.settings.instance,
          data: { test: true },
          date_time: now.toISOString(),
        }),
      };
    case 'webjs':
      return signedByCompanion(
        account,
        {
          id: `evt_${randomBytes(8).toString('hex')}`,
          timestamp: now.getTime(),
          event: 'engine.event',
          session: account.settings.session,
          payload: { test: true },
        },
        now,
      );
  }
}

function signedByHub(account: ServingAccount, value: object): TestRequest {
  const body = JSON.stringify(value);
  const signature = createHmac('sha256', account.secrets.appSecret ?? '')
    .update(body)
    .digest('hex');
  return { headers: { 'content-type': 'application/json', 'x-hub-signature-256': `sha256=${signature}` }, body };
}

function signedByTwilio(account: ServingAccount, url: string): TestRequest {
  const fields: Record<string, string> = {
    AccountSid: account.settings.accountSid ?? '',
    MessageSid: `SM${randomBytes(16).toString('hex')}`,
    MessageStatus: 'canceled',
    From: account.settings.sender ?? '',
  };
  const signed = Object.keys(fields)
    .sort()
    .reduce((text, name) => text + name + fields[name], url);
  const signature = createHmac('sha1', account.secrets.authToken ?? '')
    .update(signed)
    .digest('base64');
  return {
    headers: { 'content-type': 'application/x-www-form-urlencoded', 'x-twilio-signature': signature },
    body: new URLSearchParams(fields).toString(),
  };
}

function signedByCompanion(account: ServingAccount, value: object, now: Date): TestRequest {
  const body = JSON.stringify(value);
  const timestamp = String(now.getTime());
  const nonce = randomBytes(16).toString('hex');
  const hmac = createHmac('sha256', account.secrets.webhookKey ?? '')
    .update(`${timestamp}.${nonce}.${body}`)
    .digest('hex');
  return {
    headers: {
      'content-type': 'application/json',
      'x-webhook-timestamp': timestamp,
      'x-webhook-nonce': nonce,
      'x-webhook-hmac': hmac,
      'x-webhook-hmac-algorithm': 'sha256',
    },
    body,
  };
}

function seconds(now: Date): number {
  return Math.floor(now.getTime() / 1_000);
}
