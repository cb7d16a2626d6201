/**
 * A turn: what one message event does, all of it in the caller's transaction, which several conversations may share.
 *
 * An act on an earlier message (edit, delete, reaction) touches that message, or waits for it. An echo is one of our own
 * messages coming back, or something that a person typed on the phone, who then has the conversation. A system message
 * is kept, and a changed number taken in. Everything else is a message of the customer: saved, then led through the
 * middleware.
 */
import type { MessageEvent } from '@switchyard/contract';
import type { CommerceDoor } from '#commerce';
import type { ConversationsDoor } from '#conversations';
import type { FlowsDoor } from '#flows';
import type { Clock } from '#kernel';
import type { OutboxDoor } from '#outbox';
import type { WorkspaceTx } from '#storage';
import { applyAct, isAct } from './act.ts';
import { compose } from './compose.ts';
import type { Middleware } from './context.ts';
import { handleEcho } from './echo.ts';
import { defaultLimits, type PipelineLimits } from './limits.ts';
import { handleMessages } from './message.ts';
import type { HandledTurns, Pipeline, TurnInput, TurnOutcome } from './pipeline.ts';
import { standardMiddleware } from './standard.ts';
import { insertTurns, type TurnRecord } from './turn-store.ts';

export interface PipelineParts {
  readonly outbox: Pick<OutboxDoor, 'queueMessages' | 'matchEcho' | 'lockProviderId'>;
  readonly conversations: ConversationsDoor;
  readonly flows: FlowsDoor;
  readonly commerce: CommerceDoor;
  readonly clock: Clock;
  /** Instead of the standard ones: `[...standardMiddleware(…)]` with a team's own among them. */
  readonly middleware?: readonly Middleware[];
  readonly limits?: Partial<PipelineLimits>;
  /** false: nothing is kept of a turn's way, only what came of it. Traced where it is left out. */
  readonly isTraced?: boolean;
}

/** The parts with everything filled in. */
export interface Workings extends PipelineParts {
  readonly limits: PipelineLimits;
  readonly run: ReturnType<typeof compose>;
}

export function createPipeline(parts: PipelineParts): Pipeline {
  const limits = { ...defaultLimits, ...parts.limits };
  const middleware = parts.middleware ?? standardMiddleware({ ...parts, limits });
  const workings: Workings = { ...parts, limits, run: compose(middleware) };
  return { handleTurns: (tx, inputs) => handleTurns(workings, tx, inputs), mayShareTransaction };
}

function mayShareTransaction({ content, direction }: MessageEvent): boolean {
  return direction === 'in' && !isAct(content) && content.type !== 'system';
}

async function handleTurns(workings: Workings, tx: WorkspaceTx, inputs: readonly TurnInput[]): Promise<HandledTurns> {
  const startedMs = workings.clock.elapsedMs();
  const { outcomes, written } = await handleAll(workings, tx, inputs);
  const milliseconds = workings.clock.elapsedMs() - startedMs;
  const traced = workings.isTraced === false ? [] : inputs;
  const records = traced.flatMap((input) => recordsOf(input, outcomes.get(input)!, milliseconds));
  return {
    outcomes: inputs.map((input) => outcomes.get(input)!),
    written: Promise.all([written, insertTurns(tx, records)]),
  };
}

interface AllHandled {
  readonly outcomes: ReadonlyMap<TurnInput, TurnOutcome>;
  readonly written: Promise<unknown>;
}

/** Acts and echoes one by one; then what customers wrote, together. */
async function handleAll(workings: Workings, tx: WorkspaceTx, inputs: readonly TurnInput[]): Promise<AllHandled> {
  const outcomes = new Map<TurnInput, TurnOutcome>();
  for (const input of inputs) {
    if (!isMessage(input)) outcomes.set(input, await handleOther(workings, tx, input));
  }
  const messages = inputs.filter(isMessage);
  const handled = await handleMessages(workings, tx, messages);
  for (const [index, input] of messages.entries()) outcomes.set(input, handled.outcomes[index]!);
  return { outcomes, written: handled.written };
}

function isMessage({ stored }: TurnInput): boolean {
  return stored.event.direction === 'in' && !isAct(stored.event.content);
}

function handleOther(workings: Workings, tx: WorkspaceTx, input: TurnInput): Promise<TurnOutcome> {
  const { content } = input.stored.event;
  return isAct(content) ? applyAct(workings, tx, { input, content }) : handleEcho(workings, tx, input);
}

function recordsOf(input: TurnInput, outcome: TurnOutcome, milliseconds: number): readonly TurnRecord[] {
  if (outcome.kind === 'waiting') return [];
  const { conversation, stored, turnId } = input;
  return [
    {
      id: turnId,
      conversationId: conversation.id,
      eventId: stored.eventId,
      outcome: `${outcome.kind}: ${outcome.reason}`,
      steps: outcome.steps,
      milliseconds,
    },
  ];
}
