import type { EventId, Identity, InboundEvent, MessageContent, MessageEvent, TurnId } from '@switchyard/contract';
import type { ServingAccount } from '#accounts';
import type { Capabilities } from '#channels';
import { createCommerce } from '#commerce';
import type { Conversation, StoredEvent } from '#conversations';
import { createFlows } from '#flows';
import { fixedClock, newId, silentLog } from '#kernel';
import { createOutbox } from '#outbox';
import { createPipeline, type PipelineParts, type TurnInput, type TurnOutcome } from '#pipeline';
import type { Doorbell } from '#storage';
import { openShopWorld, type ShopWorld } from '../support/shop-world.ts';

export const whatsapp: Capabilities = {
  sends: ['text', 'image', 'buttons', 'list', 'template'],
  canMarkRead: true,
  windowHours: 24,
  echoesAttemptId: true,
  maxTextLength: 4096,
  maxButtons: 3,
  maxListRows: 10,
  maxButtonTitleLength: 20,
  messagesPerSecond: 80,
};
export const plainText: Capabilities = { ...whatsapp, sends: ['text'], windowHours: null, maxTextLength: 1600 };

export interface PipelineWorld extends ShopWorld {
  readonly clock: ReturnType<typeof fixedClock>;
  /** The demo catalogue is in; `parts` replaces what a team would. */
  customer(facts?: CustomerFacts): Customer;
}

export interface CustomerFacts {
  readonly identities?: readonly Identity[];
  readonly name?: string;
  readonly capabilities?: Capabilities;
  readonly cutover?: ServingAccount['cutover'];
  readonly parts?: Partial<PipelineParts>;
}

export interface SentFacts {
  readonly content?: MessageContent;
  readonly isTest?: boolean;
  readonly event?: Partial<MessageEvent>;
}

export interface Customer {
  /** One turn, committed. */
  sends(content: MessageContent | string, facts?: SentFacts): Promise<TurnOutcome>;
  taps(id: string, title: string): Promise<TurnOutcome>;
  conversation(): Promise<Conversation>;
  /** What is queued for them, oldest first: content with its outbox state. */
  queued(): Promise<readonly { readonly content: MessageContent; readonly state: string; readonly turnId: string }[]>;
  lastText(): Promise<string>;
  turns(): Promise<
    readonly { readonly outcome: string; readonly steps: { name: string; verdict: string; detail?: string }[] }[]
  >;
}

let numbers = 0;
let messages = 0;

export async function openPipelineWorld(): Promise<PipelineWorld> {
  const shop = await openShopWorld();
  const clock = fixedClock('2026-03-01T10:00:00.000Z');
  const commerce = createCommerce();
  await shop.run((tx) => commerce.seedDemoCatalogue(tx));
  const outbox = createOutbox({
    doorbell: silentDoorbell,
    providerIdsKnown: async () => {},
    noteChange: () => {},
    log: silentLog,
  });
  const parts: PipelineParts = { outbox, conversations: shop.conversations, flows: createFlows(), commerce, clock };
  return { ...shop, clock, customer: (facts = {}) => meetCustomer(shop, { ...parts, ...facts.parts, clock }, facts) };
}

function meetCustomer(shop: ShopWorld, parts: PipelineParts, facts: CustomerFacts): Customer {
  numbers += 1;
  const identities = facts.identities ?? [{ kind: 'wa_id', value: `3466${String(1_000_000 + numbers)}` }];
  const pipeline = createPipeline(parts);
  const meet = () => shop.meet(identities, { profileName: facts.name ?? 'Ana' });

  async function sends(content: MessageContent | string, sent: SentFacts = {}): Promise<TurnOutcome> {
    const event = messageEvent(typeof content === 'string' ? { type: 'text', text: content } : content, {
      occurredAt: parts.clock.now().toISOString(),
      customer: identities,
      ...sent.event,
    });
    const { conversationId } = await meet();
    return shop.run(async (tx) => {
      const conversation = await shop.conversations.loadConversation(tx, conversationId);
      const turn: TurnInput = {
        turnId: newId('turn'),
        stored: storedEvent(shop, event, { receivedAt: parts.clock.now(), isTest: sent.isTest ?? false }),
        conversation: conversation!,
        account: serving(shop, facts.cutover ?? 'switchyard'),
        capabilities: facts.capabilities ?? whatsapp,
        now: parts.clock.now(),
      };
      const { outcomes, written } = await pipeline.handleTurns(tx, [turn]);
      await written;
      return outcomes[0]!;
    });
  }

  async function queued() {
    const { conversationId } = await meet();
    return shop.db.ownerQuery<{ content: MessageContent; state: string; turnId: TurnId }>(
      'SELECT content, state, turn_id AS "turnId" FROM outbox WHERE conversation_id = $1 ORDER BY ordinal',
      [conversationId],
    );
  }

  return {
    sends,
    taps: (id, title) => sends({ type: 'button_reply', id, title }),
    async conversation() {
      const { conversationId } = await meet();
      return (await shop.run((tx) => shop.conversations.loadConversation(tx, conversationId)))!;
    },
    queued,
    async lastText() {
      const last = (await queued()).at(-1)?.content;
      return last && 'text' in last ? (last.text ?? '') : '';
    },
    async turns() {
      const { conversationId } = await meet();
      return shop.db.ownerQuery('SELECT outcome, steps FROM turns WHERE conversation_id = $1 ORDER BY id', [
        conversationId,
      ]);
    },
  };
}

export function messageEvent(content: MessageContent, facts: Partial<MessageEvent> = {}): MessageEvent {
  messages += 1;
  const providerMessageId = `wamid.${messages}`;
  return {
    kind: 'message',
    type: content.type as MessageEvent['type'],
    key: providerMessageId,
    providerMessageId,
    direction: 'in',
    occurredAt: null,
    bindings: [],
    path: '',
    customer: [],
    content,
    ...facts,
  };
}

function storedEvent<Event extends InboundEvent>(
  shop: ShopWorld,
  event: Event,
  facts: { readonly receivedAt: Date; readonly isTest: boolean },
): StoredEvent<Event> {
  return {
    eventId: newId('event') as EventId,
    deliveryId: newId('delivery'),
    accountId: shop.accountId,
    event,
    position: 1n,
    afterPosition: 0n,
    attempts: 0,
    ...facts,
  };
}

function serving(shop: ShopWorld, cutover: ServingAccount['cutover']): ServingAccount {
  return {
    workspaceId: shop.workspaceId,
    workspaceName: 'Norte',
    accountId: shop.accountId,
    provider: 'meta',
    channel: 'whatsapp',
    name: 'Norte',
    isActive: true,
    isDeleted: false,
    cutover,
    cutoverShare: 100,
    settings: {},
    secrets: {},
    bindings: new Set(),
    version: 1,
    webhookUrl: null,
  };
}

const silentDoorbell: Doorbell = {
  ring: async () => {},
  listen: async () => async () => {},
  onGap: () => () => {},
  close: async () => {},
};
