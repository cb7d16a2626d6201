/** How a session comes to be linked with a phone, as the API tells it. */
import { z } from 'zod';

export const pairingSchema = z
  .object({
    accountId: z.string().describe('acc_…'),
    state: z.enum(['idle', 'waiting', 'showing', 'expired', 'connected']),
    /** The account's own status and why it is so. */
    status: z.enum(['disconnected', 'connecting', 'connected', 'error']),
    statusDetail: z.string().nullable(),
    qr: z
      .object({
        code: z.string().nullable().describe('What the picture says; null where the provider gives the picture only.'),
        image: z.string().nullable().describe('A data URL.'),
        pairingCode: z.string().nullable().describe('To be typed on the phone instead of scanning.'),
        expiresAt: z.iso.datetime(),
        expiresInSeconds: z.int(),
      })
      .nullable(),
    codesShown: z.int(),
    askedAt: z.iso.datetime().nullable(),
  })
  .meta({ id: 'Pairing' });
export type PairingView = z.infer<typeof pairingSchema>;
