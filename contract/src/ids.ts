/**
 * Ids as people and programs see them.
 *
 * Stored as uuid (version 7, so they sort by time); worn with a prefix in API, CLI and logs, so that an id of one
 * thing pasted where another belongs is refused at the edge. Routes with older names speak the bare uuid.
 */
declare const brand: unique symbol;
type Branded<Name extends string> = string & { readonly [brand]: Name };

export type WorkspaceId = Branded<'workspace'>;
export type PersonId = Branded<'person'>;
export type ApiKeyId = Branded<'apiKey'>;
export type AccountId = Branded<'account'>;
export type DeliveryId = Branded<'delivery'>;
export type EventId = Branded<'event'>;
export type ContactId = Branded<'contact'>;
export type ConversationId = Branded<'conversation'>;
export type MessageId = Branded<'message'>;
export type TurnId = Branded<'turn'>;
export type OutboundId = Branded<'outbound'>;
export type AttemptId = Branded<'attempt'>;
export type DeadLetterId = Branded<'deadLetter'>;
export type FlowId = Branded<'flow'>;
export type CategoryId = Branded<'category'>;
export type ProductId = Branded<'product'>;
export type SessionId = Branded<'session'>;
export type InvitationId = Branded<'invitation'>;
export type CompanionKeyId = Branded<'companionKey'>;
export type IncidentId = Branded<'incident'>;
export type AlarmTargetId = Branded<'alarmTarget'>;
export type AlarmNoticeId = Branded<'alarmNotice'>;
export type ErasureId = Branded<'erasure'>;
export type ReconciliationId = Branded<'reconciliation'>;

export interface IdByName {
  workspace: WorkspaceId;
  person: PersonId;
  apiKey: ApiKeyId;
  account: AccountId;
  delivery: DeliveryId;
  event: EventId;
  contact: ContactId;
  conversation: ConversationId;
  message: MessageId;
  turn: TurnId;
  outbound: OutboundId;
  attempt: AttemptId;
  deadLetter: DeadLetterId;
  flow: FlowId;
  category: CategoryId;
  product: ProductId;
  session: SessionId;
  invitation: InvitationId;
  companionKey: CompanionKeyId;
  incident: IncidentId;
  alarmTarget: AlarmTargetId;
  alarmNotice: AlarmNoticeId;
  erasure: ErasureId;
  reconciliation: ReconciliationId;
}

export const idPrefixes = {
  workspace: 'wsp',
  person: 'per',
  apiKey: 'key',
  account: 'acc',
  delivery: 'dlv',
  event: 'evt',
  contact: 'con',
  conversation: 'cnv',
  message: 'msg',
  turn: 'trn',
  outbound: 'out',
  attempt: 'att',
  deadLetter: 'ded',
  flow: 'flw',
  category: 'cat',
  product: 'prd',
  session: 'ses',
  invitation: 'inv',
  companionKey: 'cpk',
  incident: 'inc',
  alarmTarget: 'alt',
  alarmNotice: 'aln',
  erasure: 'era',
  reconciliation: 'rec',
} as const satisfies Record<keyof IdByName, string>;

const uuidShape = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const hexShape = /^[0-9a-f]{32}$/;

/** The id as people see it: prefix, underscore, the uuid's 32 hex digits. */
export function toPublicId<Name extends keyof IdByName>(name: Name, id: IdByName[Name]): string {
  return `${idPrefixes[name]}_${id.replaceAll('-', '')}`;
}

/** Takes `acc_<32 hex>`, `acc_<uuid>` or the bare uuid; anything else, another prefix included, gives undefined. */
export function parseId<Name extends keyof IdByName>(name: Name, text: string): IdByName[Name] | undefined {
  const lower = text.trim().toLowerCase();
  const prefix = `${idPrefixes[name]}_`;
  const bare = lower.startsWith(prefix) ? lower.slice(prefix.length) : lower;
  if (uuidShape.test(bare)) return bare as IdByName[Name];
  if (!hexShape.test(bare) || !lower.startsWith(prefix)) return undefined;
  return bare.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5') as IdByName[Name];
}
