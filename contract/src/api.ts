/**
 * Shapes of the REST interface under `/api/v1`, shared by the server that answers and the browser that asks.
 * Ids wear their prefix, instants are ISO 8601 UTC, pages are `{data, nextCursor}`, failures are RFC 9457 problems.
 */
import { z } from 'zod';
import {
  healthScoreSchema,
  metadataSchema,
  secretDateSchema,
  secretEndsSchema,
  wantedEventsSchema,
  webhookEventsSchema,
} from './account-api.ts';
import { providers } from './provider.ts';
import { workspaceSettings } from './workspace-api.ts';

const instant = z.iso.datetime();
const publicId = (prefix: string) => z.string().regex(new RegExp(`^${prefix}_[0-9a-f]{32}$`));

export const problemSchema = z
  .object({
    type: z.string(),
    title: z.string(),
    status: z.int(),
    /** Stable, named after the condition: `not-found`, `window-closed`. */
    code: z.string(),
    detail: z.string().optional(),
    errors: z.array(z.object({ path: z.string(), message: z.string() })).optional(),
    /** The state that forbade it, of a 409: `connected`. */
    state: z.string().optional(),
  })
  .meta({ id: 'Problem' });
export type Problem = z.infer<typeof problemSchema>;

export function pageOf<Item extends z.ZodType>(item: Item) {
  return z.object({ data: z.array(item), nextCursor: z.string().nullable() });
}

export const pageQuerySchema = z.strictObject({
  limit: z.coerce.number().int().min(1).max(200).default(50),
  cursor: z.string().max(200).exactOptional(),
});

export const meSchema = z
  .object({
    person: z.object({ id: publicId('per'), name: z.string(), email: z.string(), isOperator: z.boolean() }).nullable(),
    workspaces: z.array(
      z.object({ id: publicId('wsp'), name: z.string(), slug: z.string(), role: z.string(), ...workspaceSettings }),
    ),
  })
  .meta({ id: 'Me' });
export type Me = z.infer<typeof meSchema>;

export const loginSchema = z
  .strictObject({ email: z.email().max(254), password: z.string().min(1).max(1024) })
  .meta({ id: 'LogIn' });

export const workspaceSchema = z
  .object({
    id: publicId('wsp'),
    name: z.string(),
    slug: z.string(),
    kind: z.enum(['tenant', 'operator']),
    ...workspaceSettings,
    createdAt: instant,
  })
  .meta({ id: 'Workspace' });
export type WorkspaceView = z.infer<typeof workspaceSchema>;

export const apiKeySchema = z
  .object({
    id: publicId('key'),
    name: z.string(),
    lastFour: z.string(),
    scopes: z.array(z.string()),
    createdAt: instant,
    lastUsedAt: instant.nullable(),
    expiresAt: instant.nullable(),
    revokedAt: instant.nullable(),
  })
  .meta({ id: 'ApiKey' });
export type ApiKeyView = z.infer<typeof apiKeySchema>;

/** The secret is in the answer to its making, and nowhere else. */
export const madeApiKeySchema = apiKeySchema.extend({ secret: z.string() }).meta({ id: 'MadeApiKey' });

export const memberSchema = z
  .object({ id: z.string(), name: z.string(), email: z.string(), role: z.string() })
  .meta({ id: 'Member' });
export type MemberView = z.infer<typeof memberSchema>;

export const newApiKeySchema = z
  .strictObject({
    name: z.string().min(1).max(100),
    scopes: z.array(z.string()).min(1).default(['read', 'write']),
    expiresAt: instant.exactOptional(),
  })
  .meta({ id: 'NewApiKey' });

export const accountSchema = z
  .object({
    id: publicId('acc'),
    /** The same id as routes with older names speak it. */
    uuid: z.uuid(),
    provider: z.enum(providers),
    channel: z.enum(['whatsapp', 'instagram']),
    name: z.string(),
    phoneNumber: z.string().nullable(),
    /** As people write it: `+34 600 11 12 22`. */
    phoneDisplay: z.string().nullable(),
    businessName: z.string().nullable(),
    status: z.enum(['disconnected', 'connecting', 'connected', 'error']),
    statusDetail: z.string().nullable(),
    webhookStatus: z.enum(['inactive', 'active', 'error']),
    webhookError: z.string().nullable(),
    webhookEvents: webhookEventsSchema,
    isPrimary: z.boolean(),
    isActive: z.boolean(),
    settings: z.record(z.string(), z.string()),
    /** Names only; values never leave the server. */
    heldSecrets: z.array(z.string()),
    secretDates: z.array(secretDateSchema),
    /** What is kept of it here, and what the provider told of it under its own names. */
    metadata: z.record(z.string(), z.unknown()),
    connectionChangedAt: instant.nullable(),
    lastConnectedAt: instant.nullable(),
    lastActivityAt: instant.nullable(),
    lastWebhookAt: instant.nullable(),
    createdBy: publicId('per').nullable(),
    createdAt: instant,
    removedAt: instant.nullable(),
  })
  .meta({ id: 'Account' });
export type AccountView = z.infer<typeof accountSchema>;

export const healthyAccountSchema = accountSchema.extend({ health: healthScoreSchema }).meta({ id: 'HealthyAccount' });
export type HealthyAccountView = z.infer<typeof healthyAccountSchema>;

export const accountPageQuerySchema = pageQuerySchema.extend({
  /** `true`: those that were removed, and may be restored. */
  removed: z.stringbool().default(false),
});

export const newAccountSchema = z
  .strictObject({
    provider: z.enum(providers),
    name: z.string().min(1).max(200).exactOptional(),
    phoneNumber: z.string().max(40).exactOptional(),
    settings: z.record(z.string().max(60), z.string().max(2000)).default({}),
    secrets: z.record(z.string().max(60), z.string().max(4000)).default({}),
    isActive: z.boolean().exactOptional(),
    isPrimary: z.boolean().exactOptional(),
    businessName: z.string().max(200).exactOptional(),
    metadata: metadataSchema.exactOptional(),
    wantedWebhookEvents: wantedEventsSchema.exactOptional(),
    secretEnds: secretEndsSchema.exactOptional(),
  })
  .meta({ id: 'NewAccount' });

export const accountChangeSchema = z
  .strictObject({
    name: z.string().min(1).max(200).exactOptional(),
    phoneNumber: z.string().max(40).exactOptional(),
    settings: z.record(z.string().max(60), z.string().max(2000)).exactOptional(),
    secrets: z.record(z.string().max(60), z.string().max(4000)).exactOptional(),
    isActive: z.boolean().exactOptional(),
    businessName: z.string().max(200).exactOptional(),
    metadata: metadataSchema.exactOptional(),
    wantedWebhookEvents: wantedEventsSchema.exactOptional(),
    secretEnds: secretEndsSchema.exactOptional(),
  })
  .meta({ id: 'AccountChange' });

/** Holds the token: only in the answer to those who may see it, with an audit entry. */
export const accountTokenSchema = z.object({ token: z.string(), webhookUrl: z.string() }).meta({ id: 'AccountToken' });

export const madeAccountSchema = accountSchema.extend(accountTokenSchema.shape).meta({ id: 'MadeAccount' });

export const accountWebhookSchema = z
  .object({
    tokens: z.array(
      z.object({
        id: z.string(),
        webhookUrl: z.string(),
        createdAt: z.string(),
        /** null: it is the one in use. */
        retiresAt: z.string().nullable(),
        replacedAt: z.string().nullable(),
        /** At most a minute or so behind. */
        lastUsedAt: z.string().nullable(),
        /** Replaced, and unused for three days: it may as well be retired. */
        isQuiet: z.boolean(),
      }),
    ),
    /** The last call that named the account by instance or provider id instead of a token. */
    oldUrlHitAt: z.string().nullable(),
  })
  .meta({ id: 'AccountWebhook' });

/** The webhook as it stands at the provider. URLs hold tokens: shown to who may see them, with an audit entry. */
export const providerWebhookSchema = z
  .object({
    /** Ours, with the token in use. */
    wantedUrl: z.string(),
    /** What one call can set there: the whole, only which events are sent, or nothing (it is done by hand). */
    sets: z.enum(['url', 'events', 'nothing']),
    found: z
      .object({
        url: z.string().nullable(),
        isEnabled: z.boolean(),
        events: z.array(z.string()).nullable(),
        level: z.enum(['instance', 'number', 'business-account', 'app', 'sender', 'messaging-service']),
      })
      .nullable(),
    /** Why the provider could not be asked, in its own words where it has some. */
    failure: z.object({ code: z.string(), detail: z.string() }).nullable(),
    match: z.enum(['current', 'replaced', 'other', 'none', 'not-told']),
    undo: z.object({ setAt: instant }).nullable(),
  })
  .meta({ id: 'ProviderWebhook' });
export type ProviderWebhookView = z.infer<typeof providerWebhookSchema>;

export const undoWebhookSchema = z
  .strictObject({
    /** Put back what was found before, whatever stands there now. */
    isForced: z.boolean().default(false),
  })
  .meta({ id: 'UndoWebhook' });

export const triedWebhookSchema = z
  .object({ status: z.int(), milliseconds: z.int(), calledUrl: z.string(), body: z.string() })
  .meta({ id: 'TriedWebhook' });

export const tokenChoiceSchema = z.strictObject({ tokenId: z.uuid() }).meta({ id: 'TokenChoice' });

export const deliverySchema = z
  .object({
    id: publicId('dlv'),
    accountId: publicId('acc').nullable(),
    accountName: z.string().nullable(),
    provider: z.enum(providers),
    routeKind: z.string(),
    method: z.string(),
    receivedAt: instant,
    sizeBytes: z.int(),
    isAuthenticated: z.boolean(),
    isTest: z.boolean(),
    state: z.enum(['stored', 'normalised', 'dead']),
    /** From receipt to events, in milliseconds; null while it waits. */
    normalisedMs: z.number().nullable(),
    events: z.int().nullable(),
    duplicates: z.int().nullable(),
    deadLetters: z.int().nullable(),
    summary: z.string().nullable(),
    sender: z.string().nullable(),
    error: z.string().nullable(),
    /** received: not all of it has ended; processed: all has; error: a part of it is dead. */
    status: z.enum(['received', 'processed', 'error']),
    /** From receipt to the end of its last event, in milliseconds; null while that is not. */
    processedMs: z.number().nullable(),
    /** The provider's id of its first message. */
    messageId: z.string().nullable(),
  })
  .meta({ id: 'Delivery' });
export type DeliveryView = z.infer<typeof deliverySchema>;

/** One hop of a trace, in the order in which they happened; `ms` counts from the delivery's receipt. */
export const hopSchema = z
  .object({
    kind: z.enum(['received', 'normalised', 'event', 'turn', 'queued', 'attempt', 'receipt', 'dead-letter']),
    at: instant,
    ms: z.number(),
    /** In English; `facts` hold what it is made of, for words in another language. */
    title: z.string(),
    detail: z.string().nullable(),
    facts: z.record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.null()])),
    isProblem: z.boolean(),
    /** Public id of the thing: evt_…, trn_…, out_…, att_…. */
    ref: z.string().nullable(),
  })
  .meta({ id: 'Hop' });
export type Hop = z.infer<typeof hopSchema>;

export const traceSchema = deliverySchema
  .extend({
    target: z.string(),
    headers: z.record(z.string(), z.string()),
    /** The body as text (UTF-8, undecodable bytes as U+FFFD), secrets masked; cut at 64 KiB. */
    body: z.string(),
    isBodyCut: z.boolean(),
    hops: z.array(hopSchema),
    eventList: z.array(
      z.object({
        id: publicId('evt'),
        kind: z.string(),
        type: z.string(),
        key: z.string(),
        state: z.string(),
        reason: z.string().nullable(),
        conversationId: publicId('cnv').nullable(),
        payload: z.unknown(),
      }),
    ),
  })
  .meta({ id: 'DeliveryTrace' });
export type DeliveryTraceView = z.infer<typeof traceSchema>;

export const replayedSchema = z.object({ revived: z.int() }).meta({ id: 'Replayed' });

export const conversationSchema = z
  .object({
    id: publicId('cnv'),
    accountId: publicId('acc'),
    accountName: z.string(),
    provider: z.enum(providers),
    contact: z.object({ id: publicId('con'), name: z.string().nullable(), address: z.string().nullable() }),
    handler: z.enum(['bot', 'person']),
    /** Until when free text may be sent; null: no window on this channel, or none open. */
    windowClosesAt: instant.nullable(),
    isWindowOpen: z.boolean(),
    lastMessageAt: instant.nullable(),
    lastMessageText: z.string().nullable(),
    unread: z.int(),
  })
  .meta({ id: 'Conversation' });
export type ConversationView = z.infer<typeof conversationSchema>;

export const conversationChangeSchema = z
  .strictObject({
    handler: z.enum(['bot', 'person']).exactOptional(),
    isRead: z.literal(true).exactOptional(),
  })
  .meta({ id: 'ConversationChange' });

export const messageSchema = z
  .object({
    id: publicId('msg'),
    conversationId: publicId('cnv'),
    direction: z.enum(['in', 'out']),
    author: z.enum(['customer', 'bot', 'person', 'device', 'campaign', 'reminder']),
    type: z.string(),
    /** As contract/message.ts says, by `type`. */
    content: z.looseObject({ type: z.string() }),
    text: z.string(),
    status: z.enum(['received', 'queued', 'sent', 'delivered', 'read', 'played', 'failed', 'uncertain', 'cancelled']),
    error: z
      .object({
        code: z.string(),
        detail: z.string(),
        /** What the words are made of, where we have them: `{"until": "08:00"}`. */
        facts: z.record(z.string(), z.union([z.string(), z.number()])),
      })
      .nullable(),
    /** What `replyTo` and a reaction's `targetId` name; null while the provider has given none. */
    providerMessageId: z.string().nullable(),
    reactions: z.record(z.string(), z.string()),
    replyTo: z.string().nullable(),
    isEdited: z.boolean(),
    isDeleted: z.boolean(),
    isTest: z.boolean(),
    occurredAt: instant,
  })
  .meta({ id: 'Message' });
export type MessageView = z.infer<typeof messageSchema>;

const choiceSchema = z.strictObject({
  id: z.string().min(1).max(200),
  title: z.string().min(1).max(60),
  description: z.string().max(200).exactOptional(),
});
const mediaSchema = z.strictObject({
  url: z.url({ protocol: /^https?$/ }).max(2000),
  mimeType: z.string().max(100).exactOptional(),
  fileName: z.string().max(240).exactOptional(),
});
const mediaContent = <Type extends string>(type: Type) =>
  z.strictObject({ type: z.literal(type), media: mediaSchema, caption: z.string().max(1024).exactOptional() });

/** What `POST …/messages` takes as `content`. */
export const outboundContentSchema = z
  .discriminatedUnion('type', [
    z.strictObject({ type: z.literal('text'), text: z.string().min(1).max(4096) }),
    mediaContent('image'),
    mediaContent('video'),
    mediaContent('audio'),
    mediaContent('document'),
    mediaContent('sticker'),
    z.strictObject({
      type: z.literal('location'),
      latitude: z.number().min(-90).max(90),
      longitude: z.number().min(-180).max(180),
      name: z.string().max(200).exactOptional(),
      address: z.string().max(400).exactOptional(),
    }),
    z.strictObject({
      type: z.literal('reaction'),
      targetId: z.string().min(1).max(300),
      emoji: z.string().max(16).nullable(),
    }),
    z.strictObject({
      type: z.literal('buttons'),
      text: z.string().min(1).max(1024),
      buttons: z.array(choiceSchema).min(1).max(10),
      footer: z.string().max(60).exactOptional(),
    }),
    z.strictObject({
      type: z.literal('list'),
      text: z.string().min(1).max(1024),
      button: z.string().min(1).max(20),
      sections: z
        .array(
          z.strictObject({ title: z.string().max(24).exactOptional(), rows: z.array(choiceSchema).min(1).max(10) }),
        )
        .min(1)
        .max(10),
      footer: z.string().max(60).exactOptional(),
    }),
    z.strictObject({
      type: z.literal('template'),
      name: z.string().min(1).max(512),
      language: z.string().min(2).max(15),
      parameters: z.array(z.string().max(1024)).max(50).default([]),
    }),
  ])
  .meta({ id: 'OutboundContent' });

export const newMessageSchema = z
  .strictObject({
    content: outboundContentSchema,
    /** Provider id of the message answered to. */
    replyTo: z.string().max(300).exactOptional(),
  })
  .meta({ id: 'NewMessage' });

export const queuedMessageSchema = z
  .object({ id: z.string(), status: z.literal('queued') })
  .meta({ id: 'QueuedMessage' });

/** An uncertain message, settled by a person: send it once more (it may arrive twice), or let it be. */
export const settlementSchema = z.strictObject({ choice: z.enum(['send-again', 'leave']) }).meta({ id: 'Settlement' });

export const categorySchema = z
  .object({ id: publicId('cat'), name: z.string(), productCount: z.int() })
  .meta({ id: 'Category' });
export type CategoryView = z.infer<typeof categorySchema>;

export const productSchema = z
  .object({
    id: publicId('prd'),
    categoryId: publicId('cat'),
    sku: z.string().nullable(),
    name: z.string(),
    description: z.string(),
    priceMinor: z.int(),
    currency: z.string(),
    imageUrl: z.string().nullable(),
    /** null: not counted. */
    stock: z.int().nullable(),
  })
  .meta({ id: 'Product' });
export type ProductView = z.infer<typeof productSchema>;

export const flowSchema = z
  .object({
    id: publicId('flw'),
    name: z.string(),
    version: z.int(),
    isActive: z.boolean(),
    createdAt: instant,
  })
  .meta({ id: 'Flow' });
export type FlowView = z.infer<typeof flowSchema>;

/** What `/api/v1/events` tells the browser: which resource to look at again. Ids only. */
export const liveEventSchema = z.object({
  topic: z.enum(['delivery', 'conversation', 'message', 'account', 'incident']),
  id: z.string(),
});
export type LiveEvent = z.infer<typeof liveEventSchema>;
