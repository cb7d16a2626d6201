/** The trace of a delivery as a list of hops: what happened to it, when, and what of that was a problem. */
import type { Hop } from '@switchyard/contract';
import type { DeliveryTrace, TracedEvent, TracedOutbound } from './delivery-store.ts';

type HopFacts = Omit<Hop, 'ms' | 'at'> & { readonly at: Date | string };

/** In order of time, each with its milliseconds since the delivery came. */
export function hopsOf(trace: DeliveryTrace): Hop[] {
  const facts: HopFacts[] = [
    hop('received', trace.receivedAt, `${trace.method} from ${trace.provider}`, requestDetail(trace), {
      method: trace.method,
      provider: trace.provider,
      bytes: trace.body.length,
      by: trace.routeKind,
      isAuthenticated: trace.isAuthenticated,
      isRead: isRead(trace),
    }),
  ];
  if (trace.normalisedAt)
    facts.push(
      hop(
        'normalised',
        trace.normalisedAt,
        'read',
        `${trace.eventCount ?? 0} event(s), ${trace.duplicateCount ?? 0} known already`,
        { events: trace.eventCount ?? 0, duplicates: trace.duplicateCount ?? 0 },
      ),
    );
  for (const letter of trace.deadLetters)
    facts.push({
      ...hop('dead-letter', letter.createdAt, letter.reason, letter.detail, { reason: letter.reason }),
      isProblem: true,
    });
  for (const event of trace.events) facts.push(...hopsOfEvent(event));
  return inOrder(facts, trace.receivedAt);
}

/** One that is to be handled once more was read before. */
const isRead = ({ state, normalisedAt }: DeliveryTrace) => state !== 'stored' || normalisedAt !== null;

function requestDetail(trace: DeliveryTrace): string {
  const said = [`${trace.body.length} bytes by ${trace.routeKind}`];
  if (!trace.isAuthenticated) said.push('not authenticated');
  if (!isRead(trace)) said.push('not read yet');
  return said.join(', ');
}

/** Of the parts of a trace that a workspace has: some events of a route for all, or a message that began here. */
export function hopsOfParts(events: readonly TracedEvent[], outbound: readonly TracedOutbound[], start: Date): Hop[] {
  return inOrder([...events.flatMap(hopsOfEvent), ...outbound.flatMap(hopsOfOutbound)], start);
}

function inOrder(facts: readonly HopFacts[], from: Date): Hop[] {
  const start = from.getTime();
  return facts
    .map((fact) => ({ ...fact, at: new Date(fact.at).toISOString(), ms: new Date(fact.at).getTime() - start }))
    .sort((a, b) => a.ms - b.ms);
}

function hopsOfEvent(event: TracedEvent): HopFacts[] {
  const facts: HopFacts[] = [
    {
      ...hop(
        'event',
        event.createdAt,
        `${event.kind}: ${event.type}`,
        event.reason ? `${event.state}: ${event.reason}` : event.state,
        { kind: event.kind, type: event.type, state: event.state, reason: event.reason },
      ),
      isProblem: event.state === 'dead',
      ref: `evt_${event.id.replaceAll('-', '')}`,
    },
  ];
  if (event.turn)
    facts.push({
      ...hop(
        'turn',
        event.turn.createdAt,
        event.turn.outcome,
        `${event.turn.milliseconds.toFixed(1)} ms: ${stepsOf(event.turn.steps)}`,
        factsOfTurn(event.turn),
      ),
      ref: `trn_${event.turn.id.replaceAll('-', '')}`,
    });
  for (const outbound of event.outbound) facts.push(...hopsOfOutbound(outbound));
  return facts;
}

interface ShownStep {
  readonly name?: string;
  readonly verdict?: string;
}

const shownSteps = (steps: unknown): readonly ShownStep[] => (Array.isArray(steps) ? steps : []);

function stepsOf(steps: unknown): string {
  return shownSteps(steps)
    .map((step) => `${step.name} ${step.verdict}`)
    .join(', ');
}

/** An outcome is written as `answered: demo/menu`. */
function factsOfTurn({ outcome, milliseconds, steps }: NonNullable<TracedEvent['turn']>): Hop['facts'] {
  const [, kind = outcome, reason = null] = /^(\w+): (.*)$/s.exec(outcome) ?? [];
  const passed = shownSteps(steps).filter(({ verdict }) => verdict === 'passed');
  return { outcome: kind, reason, milliseconds, passed: passed.map(({ name }) => name).join(', ') };
}

interface ShownAttempt {
  readonly id: string;
  readonly number: number;
  readonly startedAt: string;
  readonly endedAt: string | null;
  readonly outcome: string | null;
  readonly milliseconds: number | null;
  readonly failure: { readonly code?: string; readonly detail?: string } | null;
}

interface ShownReceipt {
  readonly status: string;
  readonly createdAt: string;
  readonly wasApplied: boolean;
}

function hopsOfOutbound(outbound: TracedOutbound): HopFacts[] {
  const content = outbound.content as { readonly type?: string; readonly text?: string };
  return [
    {
      ...hop('queued', outbound.createdAt, `reply queued: ${content.type ?? ''}`, content.text ?? null, {
        type: content.type ?? '',
      }),
      ref: `out_${outbound.id.replaceAll('-', '')}`,
    },
    ...(outbound.attempts as readonly ShownAttempt[]).map((attempt) => ({
      ...hop(
        'attempt',
        attempt.endedAt ?? attempt.startedAt,
        `attempt ${attempt.number}: ${attempt.outcome ?? 'under way'}`,
        attempt.failure?.detail ?? (attempt.milliseconds === null ? null : `${attempt.milliseconds.toFixed(1)} ms`),
        { number: attempt.number, outcome: attempt.outcome, milliseconds: attempt.milliseconds },
      ),
      isProblem: attempt.outcome !== null && attempt.outcome !== 'sent',
      ref: `att_${attempt.id.replaceAll('-', '')}`,
    })),
    ...(outbound.receipts as readonly ShownReceipt[]).map((receipt) => ({
      ...hop('receipt', receipt.createdAt, receipt.status, receipt.wasApplied ? null : 'nothing new', {
        status: receipt.status,
        isNew: receipt.wasApplied,
      }),
      isProblem: receipt.status === 'failed',
    })),
  ];
}

type Said = readonly [kind: Hop['kind'], at: Date | string, title: string, detail: string | null, facts: Hop['facts']];

function hop(...[kind, at, title, detail, facts]: Said): HopFacts {
  return { kind, at, title, detail, facts, isProblem: false, ref: null };
}
