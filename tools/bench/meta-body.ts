/** One inbound text message as Meta documents it. */

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
  return Buffer.from(
    JSON.stringify({
      object: 'whatsapp_business_account',
      entry: [
        {
          id: '102290129340398',
          changes: [
            {
              value: {
                messaging_product: 'whatsapp',
                metadata: { display_phone_number: target.displayNumber, phone_number_id: target.phoneNumberId },
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
              },
              field: 'messages',
            },
          ],
        },
      ],
    }),
  );
}
