/** Webhooks as Meta documents them: one inbound text message, one receipt. */

export interface MetaTarget {
  readonly path: string;
  readonly appSecret: string;
  readonly phoneNumberId: string;
  readonly displayNumber: string;
}

export function metaBody(
  target: MetaTarget,
  message: { readonly id: string; readonly from: string; readonly seconds: number; readonly text: string },
): Buffer {
  return bodyWith(target, {
    contacts: [{ profile: { name: 'A customer of the shop' }, wa_id: message.from }],
    messages: [
      {
        from: message.from,
        id: message.id,
        timestamp: String(message.seconds),
        text: { body: message.text },
        type: 'text',
      },
    ],
  });
}

export type ReceiptStatus = 'sent' | 'delivered' | 'read';

export function receiptBody(
  target: MetaTarget,
  receipt: { readonly id: string; readonly to: string; readonly seconds: number; readonly status: ReceiptStatus },
): Buffer {
  const { id, status, seconds, to } = receipt;
  return bodyWith(target, { statuses: [{ id, status, timestamp: String(seconds), recipient_id: to }] });
}

function bodyWith(target: MetaTarget, value: object): Buffer {
  const metadata = { display_phone_number: target.displayNumber, phone_number_id: target.phoneNumberId };
  return Buffer.from(
    JSON.stringify({
      object: 'whatsapp_business_account',
      entry: [
        {
          id: '102290129340398',
          changes: [{ value: { messaging_product: 'whatsapp', metadata, ...value }, field: 'messages' }],
        },
      ],
    }),
  );
}
