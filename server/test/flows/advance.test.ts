import { fc, test } from '@fast-check/vitest';
import { describe, expect, it } from 'vitest';
import {
  type Advance,
  advance,
  demoFlow,
  demoFlowSource,
  type FlowEvent,
  type FlowFacts,
  type FlowSource,
  type FlowState,
  findStep,
  languages,
  needKey,
  parseFlow,
  parseFlowState,
} from '#flows';
import { textOnly, withLists, withQuickReplies } from './capabilities.ts';
import { shop } from './shop.ts';

const now = '2026-03-01T10:00:00.000Z';

const choiceIds = [
  'menu:browse',
  'menu:hours',
  'menu:person',
  'categories:back',
  'products:back',
  'product:ask',
  'product:home',
  `categories:${shop.coffee}`,
  `products:${shop.mint}`,
  `products:page.1.${shop.coffee}`,
  'products:page.9999.x',
  'nowhere:x',
  ':',
  'menu:',
  '__proto__:x',
  'person:x',
];
const saidText = fc.oneof(
  fc.string({ unit: 'grapheme', maxLength: 40 }),
  fc.constantFrom('1', '2', '9', 'menu', 'hola', 'agent', 'back'),
);
const events: fc.Arbitrary<FlowEvent> = fc.oneof(
  saidText.map((text) => ({ kind: 'said', text }) as const),
  fc.record({ kind: fc.constant('said' as const), text: saidText, choiceId: fc.constantFrom(...choiceIds) }),
  fc.constant({ kind: 'sent', type: 'image' } as const),
  fc.constant({ kind: 'started' } as const),
);
const facts = fc.record({
  language: fc.constantFrom(...languages, 'de'),
  contactName: fc.option(fc.string({ unit: 'grapheme' }), { nil: null }),
  capabilities: fc.constantFrom(withLists, withQuickReplies, textOnly),
});

describe('advance', () => {
  test.prop([fc.array(events, { minLength: 1, maxLength: 25 }), facts], { seed: 7, numRuns: 300 })(
    'is pure, always comes to a step of the flow, and sends only what the channel takes',
    (said, known) => {
      let state: FlowState | null = null;
      for (const event of said) {
        const whole: FlowFacts = { now, shopName: 'Norte', catalogue: {}, ...known };
        const moved = settle(state, event, whole);
        expect(settle(state, event, whole)).toEqual(moved);
        expect(findStep(demoFlow.definition, moved.state.step)).toBeDefined();
        expect(parseFlowState(JSON.parse(JSON.stringify(moved.state)))).toEqual(moved.state);
        expect(moved.effects.length).toBeGreaterThan(0);
        expect(moved.effects.length).toBeLessThanOrEqual(3);
        for (const effect of moved.effects)
          if (effect.kind === 'send') expectSendable(effect.content, known.capabilities);
        state = deepFreeze(moved.state);
      }
    },
  );

  test.prop([fc.integer({ min: 0, max: 5 }), facts], { seed: 7 })(
    'gives up on whom nothing can be understood after three messages',
    (start, known) => {
      let state: FlowState | null = null;
      const whole: FlowFacts = { now, shopName: 'Norte', catalogue: {}, ...known };
      for (const choiceId of choiceIds.slice(0, start))
        state = settle(state, { kind: 'said', text: '', choiceId }, whole).state;
      const kinds = ['§', '§', '§', '§', '§'].map((text) => {
        const moved = settle(state, { kind: 'said', text }, whole);
        state = moved.state;
        return moved.effects.some((effect) => effect.kind === 'handover');
      });
      expect(kinds.includes(true) || state?.step === 'person').toBe(true);
    },
  );

  it('comes to an end where an empty catalogue leads in a circle', () => {
    const source: FlowSource = {
      ...demoFlowSource,
      start: 'a',
      home: 'a',
      misunderstood: { limit: 3, next: 'a' },
      shortcuts: [],
      steps: {
        a: { kind: 'categories', next: 'p', back: 'b' },
        b: { kind: 'categories', next: 'p', back: 'a' },
        p: { kind: 'products', next: 'a', back: 'a' },
      },
    };
    const flow = parseFlow(source);
    if (!flow.ok) throw new Error(JSON.stringify(flow.refusal));
    const whole: FlowFacts = {
      now,
      language: 'en',
      contactName: null,
      shopName: 'Norte',
      capabilities: withLists,
      catalogue: { categories: [] },
    };
    const moved = advance(flow.value, null, { kind: 'said', text: 'hello' }, whole);
    expect(moved).toMatchObject({ kind: 'done', effects: [{ kind: 'send', content: { type: 'text' } }] });
  });

  it('collects an answer, asking again while it does not fit', () => {
    const flow = parseFlow({
      ...demoFlowSource,
      start: 'mail',
      shortcuts: [],
      texts: { en: { 'mail.ask': 'What is your e-mail address?', thanks: 'Thank you!' } },
      steps: {
        ...demoFlowSource.steps,
        mail: { kind: 'collect', text: 'mail.ask', save: 'email', as: 'email', next: 'thanks' },
        thanks: { kind: 'say', text: 'thanks', next: 'menu' },
      },
    });
    if (!flow.ok) throw new Error(JSON.stringify(flow.refusal));
    const whole: FlowFacts = {
      now,
      language: 'fr',
      contactName: null,
      shopName: 'N',
      capabilities: withLists,
      catalogue: {},
    };
    const say = (state: FlowState | null, text: string) => {
      const moved = advance(flow.value, state, { kind: 'said', text }, whole);
      if (moved.kind !== 'done') throw new Error('needs nothing');
      return moved;
    };
    const asked = say(null, 'hi');
    expect(asked.effects).toEqual([{ kind: 'send', content: { type: 'text', text: 'What is your e-mail address?' } }]);
    const again = say(asked.state, 'no idea');
    expect(again.effects[0]).toMatchObject({
      content: { text: expect.stringContaining('Cela ne semble pas correct.') },
    });
    const done = say(again.state, 'Ana@Example.org');
    expect(done.state).toMatchObject({ step: 'menu', collected: { email: 'ana@example.org' } });
    expect(done.effects[0]).toMatchObject({ content: { text: expect.stringMatching(/^Thank you!/) } });
  });
});

describe('parseFlow', () => {
  const withSteps = (steps: Record<string, unknown>) => ({
    ...demoFlowSource,
    steps: { ...demoFlowSource.steps, ...steps },
  });
  it.each([
    ['a step that leads nowhere', withSteps({ x: { kind: 'goto', next: 'gone' } }), 'there is no step named gone'],
    [
      'a text that is not there',
      withSteps({ x: { kind: 'say', text: 'nope', next: 'menu' } }),
      'there is no text named nope',
    ],
    [
      'a ring that never waits',
      withSteps({ x: { kind: 'say', text: 'hours', next: 'y' }, y: { kind: 'goto', next: 'x' } }),
      'leads back to itself',
    ],
    ['an unknown kind', withSteps({ x: { kind: 'explode' } }), 'Invalid option'],
    [
      'a member that its kind does not know',
      withSteps({ x: { kind: 'goto', next: 'menu', surprise: 1 } }),
      'Unrecognized key',
    ],
    ['a start that is not there', { ...demoFlowSource, start: 'gone' }, 'there is no step named gone'],
    [
      'a step named like a part of every object',
      { ...demoFlowSource, start: 'constructor' },
      'there is no step named constructor',
    ],
    ['something else', 'a flow', 'expected object'],
  ])('refuses %s', (_name, source, problem) => {
    const parsed = parseFlow(source);
    expect(parsed.ok).toBe(false);
    if (!parsed.ok) expect(parsed.refusal.problems.map((one) => one.problem).join('\n')).toContain(problem);
  });

  it('takes a flow through JSON as it was', () => {
    expect(parseFlow(JSON.parse(JSON.stringify(demoFlowSource)))).toMatchObject({ ok: true });
  });
});

function settle(state: FlowState | null, event: FlowEvent, first: FlowFacts): Extract<Advance, { kind: 'done' }> {
  let whole = deepFreeze(structuredClone(first));
  for (let asked = 0; asked < 8; asked += 1) {
    const moved = advance(demoFlow, state, deepFreeze(event), whole);
    if (moved.kind === 'done') return moved;
    const more = shop.answer(moved.need, needKey(moved.need), whole.catalogue);
    whole = deepFreeze({ ...whole, catalogue: { ...whole.catalogue, ...more } });
  }
  throw new Error('asked too often');
}

function expectSendable(content: { readonly type: string }, capabilities: typeof withLists): void {
  expect(capabilities.sends).toContain(content.type);
  const sent = content as {
    text?: string;
    buttons?: { title: string }[];
    sections?: { rows: { title: string; description?: string }[] }[];
  };
  expect(Array.from(sent.text ?? '').length).toBeLessThanOrEqual(capabilities.maxTextLength);
  expect(sent.buttons?.length ?? 0).toBeLessThanOrEqual(capabilities.maxButtons);
  for (const button of sent.buttons ?? [])
    expect(Array.from(button.title).length).toBeLessThanOrEqual(capabilities.maxButtonTitleLength);
  const rows = sent.sections?.flatMap((section) => section.rows) ?? [];
  expect(rows.length).toBeLessThanOrEqual(capabilities.maxListRows);
  for (const row of rows) {
    expect(Array.from(row.title).length).toBeLessThanOrEqual(24);
    expect(Array.from(row.description ?? '').length).toBeLessThanOrEqual(72);
  }
}

function deepFreeze<T>(value: T): T {
  if (value !== null && typeof value === 'object' && !Object.isFrozen(value)) {
    Object.freeze(value);
    for (const inner of Object.values(value)) deepFreeze(inner);
  }
  return value;
}
