/**
 * A turn: what one message event does, all of it in the caller's transaction.
 *
 * An act on an earlier message (edit, delete, reaction) touches that message, or waits for it. An echo is one of our own
 * messages coming back, or something that a person typed on the phone, who then has the conversation. A system message
 * is kept, and a changed number taken in. Everything else is a message of the customer: saved, then led through the
 * middleware.
 */
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
import { handleMessage } from './message.ts';
import type { Pipeline, TurnInput, TurnOutcome } from './pipeline.ts';
import { standardMiddleware } from './standard.ts';
import { insertTurn } from './turn-store.ts';

export interface PipelineParts {
  readonly outbox: Pick<OutboxDoor, 'queueMessage' | 'matchEcho' | 'lockProviderId'>;
  readonly conversations: ConversationsDoor;
  readonly flows: FlowsDoor;
  readonly commerce: CommerceDoor;
  readonly clock: Clock;
  /** Instead of the standard ones: `[...standardMiddleware(…)]` with a team's own among them. */
  readonly middleware?: readonly Middleware[];
  readonly limits?: Partial<PipelineLimits>;
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
  return { handleTurn: (tx, input) => handleTurn(workings, tx, input) };
}

async function handleTurn(workings: Workings, tx: WorkspaceTx, input: TurnInput): Promise<TurnOutcome> {
  const startedMs = workings.clock.elapsedMs();
  const outcome = await handle(workings, tx, input);
  if (outcome.kind === 'waiting') return outcome;
  await insertTurn(tx, {
    id: input.turnId,
    conversationId: input.conversation.id,
    eventId: input.stored.eventId,
    outcome: `${outcome.kind}: ${outcome.reason}`,
    steps: outcome.steps,
    milliseconds: workings.clock.elapsedMs() - startedMs,
  });
  return outcome;
}

function handle(workings: Workings, tx: WorkspaceTx, input: TurnInput): Promise<TurnOutcome> {
  const { event } = input.stored;
  if (isAct(event.content)) return applyAct(workings, tx, { input, content: event.content });
  return event.direction === 'out' ? handleEcho(workings, tx, input) : handleMessage(workings, tx, input);
}
