/** Shapes of the REST interface for privacy, retention and reconciliation. */
import { z } from 'zod';

const instant = z.iso.datetime();
const publicId = (prefix: string) => z.string().regex(new RegExp(`^${prefix}_[0-9a-f]{32}$`));

/** Everything that is kept of one contact. */
export const contactExportSchema = z
  .object({
    exportedAt: instant,
    contact: z.record(z.string(), z.unknown()),
    identities: z.array(z.unknown()),
    consents: z.array(z.unknown()),
    conversations: z.array(z.unknown()),
    messages: z.array(z.unknown()),
    /** Raw deliveries in which something of theirs came. */
    deliveryIds: z.array(z.string()),
  })
  .meta({ id: 'ContactExport' });
export type ContactExportView = z.infer<typeof contactExportSchema>;

/** `confirm` is the word itself: an erasure cannot be undone. */
export const erasureRequestSchema = z.strictObject({ confirm: z.literal('erase') }).meta({ id: 'ErasureRequest' });

/** The receipt of an erasure; says of whom only by the id that nobody is found by any more. */
export const erasureSchema = z
  .object({
    id: publicId('era'),
    contactId: publicId('con'),
    requestedBy: z.string(),
    requestedAt: instant,
    phase: z.enum(['messages', 'events', 'people', 'bodies', 'returned', 'done']),
    counts: z.record(z.string(), z.int()),
    finishedAt: instant.nullable(),
    /** The kind of error at which it stands still since then; null: it goes on, or is through. */
    failure: z.string().nullable(),
    failedAt: instant.nullable(),
  })
  .meta({ id: 'Erasure' });
export type ErasureView = z.infer<typeof erasureSchema>;

const leastDays = 1;
const mostDays = 400;
const days = z.int().min(leastDays).max(mostDays);
const daysInQuery = z.coerce.number().int().min(leastDays).max(mostDays);

export const retentionChangeSchema = z
  .strictObject({ deliveryDays: days.exactOptional(), attemptDays: days.exactOptional() })
  .meta({ id: 'RetentionChange' });

/** The same, to be asked what it would mean. */
export const retentionQuerySchema = z.strictObject({
  deliveryDays: daysInQuery.exactOptional(),
  attemptDays: daysInQuery.exactOptional(),
});

/** A policy, and what the next run would take under it. */
export const retentionSchema = z
  .object({
    deliveryDays: z.int(),
    attemptDays: z.int(),
    deliveriesBefore: instant,
    attemptsBefore: instant,
    doomed: z.object({
      deliveries: z.int(),
      deliveryBytes: z.number(),
      attempts: z.int(),
      oldestDeliveryAt: instant.nullable(),
    }),
  })
  .meta({ id: 'Retention' });
export type RetentionView = z.infer<typeof retentionSchema>;

/** Left out: from the last webhook, or a day ago, until now. */
export const reconcileRequestSchema = z
  .strictObject({ from: instant.exactOptional(), until: instant.exactOptional() })
  .meta({ id: 'ReconcileRequest' });

export const reconcileAskedSchema = z.object({ from: instant, until: instant }).meta({ id: 'ReconcileAsked' });

/** One look at what a provider keeps of a span. */
export const reconciliationSchema = z
  .object({
    id: publicId('rec'),
    accountId: publicId('acc'),
    reason: z.enum(['asked', 'downtime', 'hourly']),
    wantedFrom: instant,
    wantedUntil: instant,
    /** From when on the provider still knew; null: nothing shows that it knew any of it. */
    coveredFrom: instant.nullable(),
    state: z.enum(['running', 'complete', 'partial', 'unsupported', 'failed']),
    detail: z.string().nullable(),
    listed: z.int(),
    recovered: z.int(),
    startedAt: instant,
    finishedAt: instant.nullable(),
  })
  .meta({ id: 'Reconciliation' });
export type ReconciliationView = z.infer<typeof reconciliationSchema>;

export const reconciliationListSchema = z.object({ data: z.array(reconciliationSchema) });
