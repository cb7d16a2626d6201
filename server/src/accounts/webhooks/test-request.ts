/** A harmless delivery in each provider's form, signed as the provider would: what a test of a webhook sends. */
import { randomBytes } from 'node:crypto';
import type { ServingAccount } from '../accounts.ts';
import {
  type SignedRequest,
  signedByCompanion,
  signedByHub,
  signedByTwilio,
  withEvolutionKey,
} from './signed-request.ts';

/** Carries no customer's message: a template's status, a page's empty entry, a connection state. */
export function signedTestRequest(account: ServingAccount, url: string, now: Date): SignedRequest {
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
      return signedByTwilio(account, url, {
        AccountSid: account.settings.accountSid ?? '',
        MessageSid: `SM${randomBytes(16).toString('hex')}`,
        MessageStatus: 'canceled',
        From: account.settings.sender ?? '',
      });
    case 'evolution':
      return withEvolutionKey(account, {
        event: 'application.startup',
        instance: account.settings.instance,
        data: { test: true },
        date_time: now.toISOString(),
      });
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

function seconds(now: Date): number {
  return Math.floor(now.getTime() / 1_000);
}
