/**
 * The bot's state of one conversation, moved by workers that are killed and frozen, over a store in memory that keeps
 * the promises of a turn (one transaction, fenced by the conversation's lease). However it went, it ends as if one
 * worker had never been disturbed: the same state, the same messages, each once and in order.
 */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type Advance, advance, demoFlow, type FlowEvent, type FlowState, needKey, parseFlowState } from '#flows';
import { judge, keep, simulate } from '../support/simulation.ts';
import { withLists } from './capabilities.ts';
import { shop } from './shop.ts';

const leaseMs = 30_000;
const workers = 3;

const events: fc.Arbitrary<FlowEvent> = fc.oneof(
  fc
    .constantFrom('1', '2', '3', 'hello', 'menu', 'agent', 'Coffee', '???')
    .map((text) => ({ kind: 'said', text }) as const),
  fc
    .constantFrom('menu:browse', 'menu:hours', `categories:${shop.coffee}`, `products:${shop.mint}`, 'product:home')
    .map((choiceId) => ({ kind: 'said', text: '', choiceId }) as const),
  fc.constant({ kind: 'sent', type: 'image' } as const),
);
const steps = fc.record({
  kind: fc.constantFrom('arrive', 'arrive', 'claim', 'claim', 'step', 'step', 'step', 'kill', 'wait'),
  draw: fc.nat(1_000),
});
const schedules = fc.record({
  said: fc.array(events, { minLength: 1, maxLength: 12, size: 'max' }),
  steps: fc.array(steps, { maxLength: 80, size: 'max' }),
});
type Schedule = typeof schedules extends fc.Arbitrary<infer T> ? T : never;

interface Turn {
  readonly epoch: number;
  readonly at: number;
  readonly moved: Moved | null;
}

type Moved = Extract<Advance, { kind: 'done' }>;

/** Asks and is answered until it is done, as the pipeline does. */
function moveOn(state: FlowState | null, event: FlowEvent, nowMs: number): Moved {
  let catalogue = {};
  for (let asked = 0; asked < 10; asked += 1) {
    const facts = {
      now: new Date(Date.UTC(2026, 2, 1) + nowMs).toISOString(),
      language: 'en',
      contactName: 'Ana',
      shopName: 'Norte',
      capabilities: withLists,
      catalogue,
    };
    const moved = advance(demoFlow, state, event, facts);
    if (moved.kind === 'done') return moved;
    catalogue = { ...catalogue, ...shop.answer(moved.need, needKey(moved.need), catalogue) };
  }
  throw new Error('broken: a step is content with what it asked for');
}

/** `isFenced` false is the planted bug: a lock that is given up early. */
class Conversation {
  readonly #isFenced: boolean;
  readonly #said: readonly FlowEvent[];
  readonly #turns = new Map<number, Turn>();
  #arrived = 0;
  #handled = 0;
  #session = 'null';
  #epoch = 0;
  #leasedUntilMs = 0;
  #nowMs = 0;
  readonly sent: unknown[] = [];

  constructor(said: readonly FlowEvent[], isFenced: boolean) {
    this.#said = said;
    this.#isFenced = isFenced;
  }

  get state(): FlowState | null {
    return parseFlowState(JSON.parse(this.#session));
  }

  take({ kind, draw }: Schedule['steps'][number]): void {
    const worker = draw % workers;
    if (kind === 'arrive') this.#arrived = Math.min(this.#said.length, this.#arrived + 1);
    else if (kind === 'claim') this.#claim(worker);
    else if (kind === 'step') this.#step(worker);
    else if (kind === 'kill') this.#turns.delete(worker);
    else this.#nowMs += draw % 2 === 0 ? 1_000 : leaseMs + 1;
  }

  rest(): void {
    this.#arrived = this.#said.length;
    for (let round = 0; this.#handled < this.#said.length; round += 1) {
      keep(round < 100, 'every message is handled in the end');
      this.#nowMs += leaseMs + 1;
      this.#claim(0);
      this.#step(0);
      this.#step(0);
    }
  }

  #claim(worker: number): void {
    if (this.#turns.has(worker) || this.#handled >= this.#arrived || this.#leasedUntilMs > this.#nowMs) return;
    this.#epoch += 1;
    this.#leasedUntilMs = this.#nowMs + leaseMs;
    this.#turns.set(worker, { epoch: this.#epoch, at: this.#handled, moved: null });
  }

  /** First the rules, outside of any lock; then the commit of state, messages and the mark that it was handled. */
  #step(worker: number): void {
    const turn = this.#turns.get(worker);
    if (!turn) return;
    if (!turn.moved) {
      const moved = moveOn(this.state, this.#said[turn.at]!, this.#nowMs);
      this.#turns.set(worker, { ...turn, moved });
      return;
    }
    this.#turns.delete(worker);
    if (this.#isFenced && turn.epoch !== this.#epoch) return;
    this.#session = JSON.stringify(turn.moved.state);
    this.sent.push(...turn.moved.effects);
    this.#handled = turn.at + 1;
    this.#leasedUntilMs = 0;
  }
}

function conversationsThat(isFenced: boolean) {
  return {
    schedules,
    play({ said, steps: taken }: Schedule) {
      const disturbed = new Conversation(said, isFenced);
      for (const step of taken) disturbed.take(step);
      disturbed.rest();
      const calm = new Conversation(said, true);
      calm.rest();
      expect(disturbed.sent).toEqual(calm.sent);
      expect({ ...disturbed.state, at: '' }).toEqual({ ...calm.state, at: '' });
    },
  };
}

simulate('a conversation ends as if no worker had been killed or frozen', 1_500, conversationsThat(true));

test('a lock that is given up early is caught, and comes back from its seed', async () => {
  const found = await judge(conversationsThat(false), { seed: 5, runs: 1_500 });
  if (found.kind === 'kept') throw new Error('the planted bug was not caught');
  const again = await judge(conversationsThat(false), { seed: found.seed, path: found.path, runs: 1 });
  expect(again).toMatchObject({ kind: 'broken', schedule: found.schedule });
});
