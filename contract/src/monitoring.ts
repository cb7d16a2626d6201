/** Shapes of the ledger, of alarms, of canaries and of traces, as the interface and the browser speak of them. */
import { z } from 'zod';
import { hopSchema } from './api.ts';
import { providers } from './provider.ts';

const instant = z.iso.datetime();
const publicId = (prefix: string) => z.string().regex(new RegExp(`^${prefix}_[0-9a-f]{32}$`));

const counts = {
  /** Answered 200. */
  received: z.int(),
  /** Of these, unpacked. */
  stored: z.int(),
  normalised: z.int(),
  duplicates: z.int(),
  events: z.int(),
  handled: z.int(),
  answered: z.int(),
  /** null: nobody forwards anything, so that there is nothing to count. */
  forwarded: z.int().nullable(),
  parked: z.int(),
  dead: z.int(),
} as const;
export const ledgerCountsSchema = z.object(counts).meta({ id: 'LedgerCounts' });
export type LedgerCountsView = z.infer<typeof ledgerCountsSchema>;

/** Where a delivery, an event or a reply stopped. */
export const gapStageNames = [
  /** In a batch that nobody has unpacked. */
  'unpack',
  /** Stored, and in no queue. */
  'queue',
  /** Not read into events. */
  'normalise',
  /** Read, and fewer events are there than were read. */
  'events',
  /** An event that nobody handled. */
  'handle',
  /** Parked longer than anything may wait. */
  'parked',
  /** Handled by a turn that is not there. */
  'turn',
  /** Answered by a turn, and no reply is there. */
  'answer',
  /** A reply that is due and was not sent. */
  'send',
  /** Counted earlier, and no longer there. */
  'vanished',
] as const;
export type GapStage = (typeof gapStageNames)[number];

export const gapSchema = z
  .object({
    stage: z.enum(gapStageNames),
    accountId: publicId('acc').nullable(),
    accountName: z.string().nullable(),
    deliveryId: publicId('dlv').nullable(),
    eventId: publicId('evt').nullable(),
    outboundId: publicId('out').nullable(),
    /** Since when it should have gone on. */
    since: instant,
    ageMs: z.number(),
    detail: z.string(),
  })
  .meta({ id: 'Gap' });
export type GapView = z.infer<typeof gapSchema>;

export const balanceSchema = z
  .object({
    from: instant,
    to: instant,
    countedAt: instant,
    isBalanced: z.boolean(),
    /** All gaps; at most 200 of a stage are named. */
    gapCount: z.int(),
    /** Received, in a batch, and not unpacked yet. */
    unpacked: z.int(),
    totals: ledgerCountsSchema,
    /** By account and hour of receipt; a null account stands for app-level shared routes. */
    hours: z.array(
      z.object({ accountId: publicId('acc').nullable(), accountName: z.string().nullable(), hour: instant, ...counts }),
    ),
    gaps: z.array(gapSchema),
  })
  .meta({ id: 'Balance' });
export type BalanceView = z.infer<typeof balanceSchema>;

/**
 * Why webhooks were refused: the disk has hardly room, what was received waits for hours, the database is away or too slow, the
 * server's event loop cannot keep up. `away`: no server took them, or the database was away from all of them.
 */
export const refusalReasons = ['disk', 'backlog', 'database', 'event-loop', 'away'] as const;
export type RefusalReason = (typeof refusalReasons)[number];

export const incidentKinds = [
  'refusing',
  'balance',
  'balance-failed',
  'unasked',
  'silence',
  'canary',
  'foreign-ids',
  'dead-letters',
] as const;
export type IncidentKind = (typeof incidentKinds)[number];

/** `resolved`: looked at again and found whole. `unwatched`: ended without that, since nothing is left to look at. */
export const incidentStates = ['open', 'resolved', 'unwatched'] as const;
export type IncidentState = (typeof incidentStates)[number];

export const incidentSchema = z
  .object({
    id: publicId('inc'),
    kind: z.enum(incidentKinds),
    accountId: publicId('acc').nullable(),
    accountName: z.string().nullable(),
    /** What is known of it, by name; words are made where it is shown. */
    facts: z.record(z.string(), z.union([z.string(), z.number(), z.null()])),
    /** In English, for logs, mails and programs. */
    summary: z.string(),
    state: z.enum(incidentStates),
    openedAt: instant,
    lastSeenAt: instant,
    timesSeen: z.int(),
    /** When it ended, in either way. */
    resolvedAt: instant.nullable(),
  })
  .meta({ id: 'Incident' });
export type IncidentView = z.infer<typeof incidentSchema>;

export const alarmTargetSchema = z
  .object({
    id: publicId('alt'),
    kind: z.enum(['email', 'webhook']),
    address: z.string(),
    createdAt: instant,
    lastNotice: z
      .object({
        occasion: z.enum(['opened', 'worsened', 'resolved', 'unwatched', 'test']),
        state: z.enum(['queued', 'sent', 'failed']),
        attempts: z.int(),
        at: instant,
        error: z.string().nullable(),
      })
      .nullable(),
  })
  .meta({ id: 'AlarmTarget' });
export type AlarmTargetView = z.infer<typeof alarmTargetSchema>;

const targetAddress = {
  email: z.email().max(254),
  webhook: z.url({ protocol: /^https?$/ }).max(2000),
} as const;

/** An e-mail address, or the URL of a webhook. */
export const newAlarmTargetSchema = z
  .strictObject({ kind: z.enum(['email', 'webhook']), address: z.string().min(1).max(2000) })
  .refine(({ kind, address }) => targetAddress[kind].safeParse(address).success, {
    path: ['address'],
    error: 'is not an address of that kind',
  })
  .meta({ id: 'NewAlarmTarget' });

/** The secret that signs a webhook is in the answer to its making, and nowhere else; null for e-mail. */
export const madeAlarmTargetSchema = alarmTargetSchema
  .extend({ secret: z.string().nullable() })
  .meta({ id: 'MadeAlarmTarget' });

export const testedTargetSchema = z
  .object({ isDelivered: z.boolean(), milliseconds: z.number(), error: z.string().nullable() })
  .meta({ id: 'TestedAlarmTarget' });

export const canaryHopNames = ['routed', 'verified', 'stored', 'normalised', 'handled', 'answered'] as const;

export const canaryRunSchema = z
  .object({
    /** The delivery's id, so that its trace is the run's. */
    id: publicId('dlv'),
    state: z.enum(['running', 'passed', 'late', 'failed']),
    /** gateway: by HTTP, as its provider would. store: past the listener, where that cannot be. null: not stored yet. */
    entrance: z.enum(['gateway', 'store']).nullable(),
    startedAt: instant,
    /** Milliseconds since the start at which each hop was passed; null while it is not. */
    hops: z.array(z.object({ name: z.enum(canaryHopNames), ms: z.number().nullable() })),
    totalMs: z.number().nullable(),
    error: z.string().nullable(),
  })
  .meta({ id: 'CanaryRun' });
export type CanaryRunView = z.infer<typeof canaryRunSchema>;

/** A number, how quiet it is, and how its canary is. */
export const watchedNumberSchema = z
  .object({
    accountId: publicId('acc'),
    accountName: z.string(),
    provider: z.enum(providers),
    isConnected: z.boolean(),
    lastHeardAt: instant.nullable(),
    rhythm: z.object({
      /** learning: not a week of it is known; sparse: too little comes to tell; silent: too quiet for it. */
      verdict: z.enum(['learning', 'sparse', 'normal', 'silent']),
      learntUntil: instant.nullable(),
      quietMs: z.number().nullable(),
      /** How likely so long a quiet is, by what was learnt; null while nothing is known. */
      chance: z.number().nullable(),
    }),
    canary: z.object({ everyMinutes: z.int().nullable(), lastRun: canaryRunSchema.nullable() }),
  })
  .meta({ id: 'WatchedNumber' });
export type WatchedNumberView = z.infer<typeof watchedNumberSchema>;

/** null switches the canary off. */
export const canaryScheduleSchema = z
  .strictObject({ everyMinutes: z.int().min(1).max(1440).nullable() })
  .meta({ id: 'CanarySchedule' });

export const traceMatches = ['trace', 'phone', 'provider-id'] as const;

export const foundTraceSchema = z
  .object({
    /** One id from the provider's request to the receipt: the delivery's, or the message's where it began here. */
    id: z.string().regex(/^(?:dlv|msg)_[0-9a-f]{32}$/),
    matchedBy: z.enum(traceMatches),
    at: instant,
    accountName: z.string().nullable(),
    /** The customer's address. */
    customer: z.string().nullable(),
    summary: z.string().nullable(),
    isProblem: z.boolean(),
    hops: z.array(hopSchema),
  })
  .meta({ id: 'FoundTrace' });
export type FoundTraceView = z.infer<typeof foundTraceSchema>;
