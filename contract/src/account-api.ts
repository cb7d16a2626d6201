/** Shapes of the REST interface that tell of accounts: their state, health, statistics, and what a provider's need. */
import { z } from 'zod';
import { providers } from './provider.ts';

const instant = z.iso.datetime();
const connectionStatus = z.enum(['disconnected', 'connecting', 'connected', 'error']);

/** What of an account's shape more than one answer has. */
export const webhookEventsSchema = z.object({
  wanted: z.array(z.string()),
  /** As the provider told when it was last asked; null: never asked. */
  subscribed: z.array(z.string()).nullable(),
  checkedAt: instant.nullable(),
  /** Wanted, and not sent. */
  missing: z.array(z.string()),
  /** Sent, and not wanted. */
  unwanted: z.array(z.string()),
});

export const secretDateSchema = z.object({ name: z.string(), setAt: instant, endsAt: instant.nullable() });

export const metadataSchema = z.record(
  z.string().min(1).max(60),
  z.union([z.string().max(1000), z.number(), z.boolean(), z.null()]),
);
export const wantedEventsSchema = z.array(z.string().min(1).max(60)).max(50);
/** By the secret's name; null: not known to end. */
export const secretEndsSchema = z.record(z.string().max(60), instant.nullable());

export const nothingSchema = z.strictObject({}).meta({ id: 'Nothing' });

/** Why it is connected or disconnected; shown beside the state. */
export const connectionWishSchema = z
  .strictObject({ reason: z.string().min(1).max(300).exactOptional() })
  .meta({ id: 'ConnectionWish' });

export const healthScoreSchema = z.object({ score: z.int(), isHealthy: z.boolean() });

export const healthSignalSchema = z
  .object({
    kind: z.string(),
    level: z.enum(['good', 'notice', 'warning', 'critical']),
    /** How much it matters, 0 to 100. */
    weight: z.int(),
    /** What it took off the score. */
    points: z.int(),
    /** Stable; what was found. */
    code: z.string(),
    facts: z.record(z.string(), z.union([z.string(), z.number(), z.null()])),
    detail: z.string(),
    nextStep: z.string().nullable(),
  })
  .meta({ id: 'HealthSignal' });
export type HealthSignalView = z.infer<typeof healthSignalSchema>;

export const accountHealthSchema = healthScoreSchema
  .extend({ signals: z.array(healthSignalSchema) })
  .meta({ id: 'AccountHealth' });
export type AccountHealthView = z.infer<typeof accountHealthSchema>;

export const accountStatusSchema = z
  .object({
    status: connectionStatus,
    statusDetail: z.string().nullable(),
    since: instant.nullable(),
    /** What may be asked of it now. */
    acts: z.array(z.enum(['connect', 'disconnect'])),
    isActive: z.boolean(),
    lastConnectedAt: instant.nullable(),
    lastActivityAt: instant.nullable(),
    webhook: z.object({
      status: z.enum(['inactive', 'active', 'error']),
      error: z.string().nullable(),
      lastAt: instant.nullable(),
      events: webhookEventsSchema,
    }),
    /** Newest first. */
    history: z.array(
      z.object({
        previous: connectionStatus,
        next: connectionStatus,
        reason: z.string().nullable(),
        actor: z.string(),
        at: instant,
      }),
    ),
  })
  .meta({ id: 'AccountStatus' });
export type AccountStatusView = z.infer<typeof accountStatusSchema>;

/** Both or neither of `from` and `to`; without them the last day by the hour, or the last 30 days by the day. */
export const statisticsQuerySchema = z.strictObject({
  from: instant.exactOptional(),
  to: instant.exactOptional(),
  by: z.enum(['hour', 'day']).default('hour'),
  /** The workspace's own where it is left out. */
  timeZone: z.string().max(60).exactOptional(),
});

const counts = {
  received: z.int(),
  /** What a provider took; delivered and read ones are among it. */
  sent: z.int(),
  delivered: z.int(),
  read: z.int(),
  failed: z.int(),
  uncertain: z.int(),
  webhooks: z.int(),
};

export const accountStatisticsSchema = z
  .object({
    from: instant,
    to: instant,
    by: z.enum(['hour', 'day']),
    timeZone: z.string(),
    buckets: z.array(z.object({ at: instant, ...counts })),
    totals: z.object(counts),
    /** Shares of 1; null where nothing was sent. */
    rates: z.object({ delivery: z.number().nullable(), read: z.number().nullable() }),
    errors: z.array(z.object({ code: z.string(), detail: z.string().nullable(), count: z.int(), lastAt: instant })),
    responses: z.array(
      z.object({ author: z.enum(['bot', 'person']), count: z.int(), medianMs: z.number(), p95Ms: z.number() }),
    ),
    conversations: z.object({ active: z.int(), begun: z.int() }),
    webhooks: z.object({ received: z.int(), unauthenticated: z.int(), deadLetters: z.int() }),
  })
  .meta({ id: 'AccountStatistics' });
export type AccountStatisticsView = z.infer<typeof accountStatisticsSchema>;

/** When something that lets somebody in ends. */
export const endSchema = z
  .object({
    kind: z.enum(['secret', 'webhook-token', 'api-key']),
    accountId: z.string().nullable(),
    accountName: z.string().nullable(),
    name: z.string(),
    endsAt: instant,
    /** `soon`: within 14 days. */
    state: z.enum(['later', 'soon', 'ended']),
  })
  .meta({ id: 'End' });
export type EndView = z.infer<typeof endSchema>;

const field = z.object({
  name: z.string(),
  /** In the words of the provider's own panel. */
  label: z.string(),
  isRequired: z.boolean(),
  hint: z.string(),
  placeholder: z.string().nullable(),
});

/** What an account of a provider is made of. */
export const providerSchema = z
  .object({
    provider: z.enum(providers),
    channel: z.enum(['whatsapp', 'instagram']),
    /** A phone is linked to it by a QR code. */
    isPaired: z.boolean(),
    settings: z.array(field),
    secrets: z.array(field),
    /** Events that we make use of: what an account wants if it names none. */
    webhookEvents: z.array(z.string()),
  })
  .meta({ id: 'Provider' });
export type ProviderView = z.infer<typeof providerSchema>;
