/** One inbound text message as Meta documents it, signed; each with an id of its own. */
import { createHmac } from 'node:crypto';

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

/** The whole HTTP request, ready for the wire. */
export function signedRequest(target: MetaTarget, host: string, body: Buffer): Buffer {
  const signature = createHmac('sha256', target.appSecret).update(body).digest('hex');
  const head = `POST ${target.path} HTTP/1.1\r\nHost: ${host}\r\nContent-Type: application/json\r\nUser-Agent: facebookexternalua\r\nAccept: */*\r\nX-Hub-Signature-256: sha256=${signature}\r\nContent-Length: ${body.length}\r\n\r\n`;
  return Buffer.concat([Buffer.from(head), body]);
}
