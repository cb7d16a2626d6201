/**
 * The door of privacy. An erasure hides a contact at once, in the transaction of the request, and purges what is theirs
 * in slices afterwards; each slice saves how far it came, so a purge that is killed goes on where it was.
 *
 * Its phases: `messages` (with their tries and receipts), `events` (with turns and dead letters), `people` (consents,
 * conversations, looked-up numbers and what linked devices keep of them; the contact stays as an empty shell with its id, since invoices may name it), `bodies` (raw deliveries
 * are masked), `returned` (redeliveries of what was erased), `done`.
 */
import type { ContactId, DeliveryId, ErasureId, Provider, WorkspaceId } from '@switchyard/contract';
import type { Page, PageRequest } from '#kernel';

export type ErasurePhase = 'messages' | 'events' | 'people' | 'bodies' | 'returned' | 'done';

/** What was found and removed, by what it was. */
export type ErasureCounts = Readonly<Partial<Record<ErasedKind, number>>>;
export type ErasedKind =
  | 'identities'
  | 'consents'
  | 'conversations'
  | 'messages'
  | 'outbound'
  | 'attempts'
  | 'receipts'
  | 'events'
  | 'turns'
  | 'deadLetters'
  /** Whether WhatsApp knows their number. */
  | 'numberChecks'
  /** What linked devices kept under their number. */
  | 'sessionKeys'
  /** Raw deliveries that now hold nothing of the contact. */
  | 'maskedDeliveries';

/** The receipt of an erasure: no word of whose it was but the contact's id. */
export interface Erasure {
  readonly id: ErasureId;
  readonly contactId: ContactId;
  readonly requestedBy: string;
  readonly requestedAt: Date;
  readonly phase: ErasurePhase;
  readonly counts: ErasureCounts;
  readonly finishedAt: Date | null;
  /** The kind of error at which it stands still, of its last try; null: it goes on, or is through. */
  readonly failure: string | null;
  readonly failedAt: Date | null;
}

/** Everything that is kept of one contact, of one moment. Ids are public ones, instants ISO 8601. */
export interface ContactExport {
  readonly exportedAt: string;
  readonly contact: Record<string, unknown>;
  readonly identities: unknown[];
  readonly consents: unknown[];
  readonly conversations: unknown[];
  /** What they said in groups too, with the group's id; the groups themselves are not theirs. */
  readonly messages: unknown[];
  /** Raw deliveries in which a message or a receipt of theirs came, as far as they are kept. */
  readonly deliveryIds: string[];
}

export type ExportRefusal = 'not-found' | 'too-large';

/**
 * How a purge of one erasure ended for now. `held`: another process is at it and goes on, or was, and is through. `sending`: a message of theirs is
 * on its way out. `stopped`: told to. `failed`: noted in its receipt; it is tried again, after the others.
 */
export type PurgeEnd = 'done' | 'held' | 'sending' | 'stopped' | 'failed';

export interface Privacy {
  exportContact(
    workspaceId: WorkspaceId,
    contactId: ContactId,
    actor: string,
  ): Promise<
    { readonly ok: true; readonly value: ContactExport } | { readonly ok: false; readonly refusal: ExportRefusal }
  >;
  /** Hidden when this resolves. null: there is no such contact, or it is erased already. */
  eraseContact(workspaceId: WorkspaceId, contactId: ContactId, actor: string): Promise<Erasure | null>;
  findErasure(workspaceId: WorkspaceId, id: ErasureId): Promise<Erasure | null>;
  /** The latest first. */
  listErasures(workspaceId: WorkspaceId, request: PageRequest): Promise<Page<Erasure>>;
  /**
   * Goes on with every erasure that is not through; gives how many it finished. Any number of processes may. One that fails is
   * logged and noted, and keeps none of the others waiting.
   */
  purge(signal: AbortSignal): Promise<number>;
  /** Goes on with this one. */
  purgeOne(workspaceId: WorkspaceId, id: ErasureId, signal: AbortSignal): Promise<PurgeEnd>;
  /** Masks redeliveries of erased events, and drops what waits for erased messages. Gives how many it found. */
  maskReturned(signal: AbortSignal): Promise<number>;
}

/** A raw delivery as masking sees it. */
export interface RawDelivery {
  readonly id: DeliveryId;
  readonly provider: Provider;
  readonly target: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
  readonly receivedAt: Date;
}

export const privacyLimits = {
  messagesPerSlice: 500,
  eventsPerSlice: 2_000,
  bodiesPerSlice: 50,
  deliveriesPerLook: 2_000,
  /** Of these each body is searched whole, and one may have three megabytes. */
  setAsidePerLook: 50,
  maxExportBytes: 256 * 1024 * 1024,
  exportRowsPerFetch: 1_000,
} as const;
