/** One inbound message or reaction as Meta documents it. */
import { createHmac } from 'node:crypto';
import type { LoadTarget } from './order.ts';

export interface Written {
  readonly id: string;
  readonly from: string;
  readonly seconds: number;
  readonly content: object;
}

export function bodyOf(target: LoadTarget, message: Written): Buffer {
  const { id, from, seconds, content } = message;
  const value = {
    messaging_product: 'whatsapp',
    metadata: { display_phone_number: target.displayNumber, phone_number_id: target.phoneNumberId },
    contacts: [{ profile: { name: `Ana ${target.canary}` }, wa_id: from }],
    messages: [{ from, id, timestamp: String(seconds), ...content }],
  };
  const entry = [{ id: target.wabaId, changes: [{ value, field: 'messages' }] }];
  return Buffer.from(JSON.stringify({ object: 'whatsapp_business_account', entry }));
}

export function headersOf(target: LoadTarget, body: Buffer): Record<string, string> {
  const signature = createHmac('sha256', target.appSecret).update(body).digest('hex');
  return {
    'content-type': 'application/json',
    'x-hub-signature-256': `sha256=${signature}`,
    'user-agent': 'facebookexternalua',
  };
}

export const textContent = (body: string) => ({ type: 'text', text: { body } });

export const reactionContent = (targetId: string) => ({
  type: 'reaction',
  reaction: { message_id: targetId, emoji: '👍' },
});
