/**
 * A flow is data. `parseFlow` checks everything that could strand a customer: a step that leads nowhere, a text that is
 * not there, a ring of steps that never waits.
 */
import { z } from 'zod';
import { done, type Result, refused } from '#kernel';
import { foldText } from './folding.ts';
import { kindOf, type Step, stepSchema } from './steps/index.ts';
import { languages, texts } from './texts/index.ts';

const stepId = z.string().regex(/^[\w-]{1,40}$/, 'a step is named by letters, digits, _ and -');
const maxSteps = 200;

const schema = z.strictObject({
  name: z.string().min(1).max(80),
  /** Raised with every change; a conversation in the middle goes on where its step still exists. */
  version: z.number().int().positive(),
  start: stepId,
  /** Where a customer goes whose step is no longer there. */
  home: stepId,
  /** By language (`es`), by key. Own texts hide the built-in ones of the same key. */
  texts: z.partialRecord(z.enum(languages), z.record(z.string(), z.string().min(1).max(4000))).default({}),
  /** Words that lead to a step from anywhere, whatever their case and accents. */
  shortcuts: z.array(z.strictObject({ words: z.array(z.string().min(1)), next: stepId })).default([]),
  /** After so many messages in a row that no step understood, the flow goes to `next`. */
  misunderstood: z.strictObject({
    text: z.string().default('misunderstood'),
    limit: z.int().min(1).max(5),
    next: stepId,
  }),
  /** After so long a silence the flow starts anew, unless a choice is tapped. */
  sessionHours: z.number().positive().max(720).default(24),
  steps: z
    .record(stepId, stepSchema)
    .refine((steps) => Object.keys(steps).length <= maxSteps, `a flow has at most ${maxSteps} steps`),
});

export type FlowDefinition = z.infer<typeof schema>;
/** What a person or a seed writes: defaults may be left out. */
export type FlowSource = z.input<typeof schema>;

/** A definition that passed every check, with its shortcuts ready to be looked up. */
export interface Flow {
  readonly definition: FlowDefinition;
  /** By folded word. */
  readonly shortcuts: ReadonlyMap<string, string>;
}

export type FlowRefusal = {
  readonly code: 'FlowInvalid';
  readonly problems: readonly { readonly path: string; readonly problem: string }[];
};

export function parseFlow(source: unknown): Result<Flow, FlowRefusal> {
  const parsed = schema.safeParse(source);
  if (!parsed.success) {
    const problems = parsed.error.issues.map((issue) => ({ path: issue.path.join('.'), problem: issue.message }));
    return refused({ code: 'FlowInvalid', problems });
  }
  const problems = [...missingSteps(parsed.data), ...missingTexts(parsed.data), ...endlessRings(parsed.data)];
  if (problems.length > 0) return refused({ code: 'FlowInvalid', problems });
  return done({ definition: parsed.data, shortcuts: shortcutsOf(parsed.data) });
}

export function findStep(definition: FlowDefinition, id: string): Step | undefined {
  return Object.hasOwn(definition.steps, id) ? definition.steps[id] : undefined;
}

function missingSteps(definition: FlowDefinition) {
  const named = [
    { path: 'start', to: definition.start },
    { path: 'home', to: definition.home },
    { path: 'misunderstood.next', to: definition.misunderstood.next },
    ...definition.shortcuts.map((shortcut, index) => ({ path: `shortcuts.${index}`, to: shortcut.next })),
    ...Object.entries(definition.steps).flatMap(([id, step]) =>
      kindOf(step)
        .targets(step)
        .map((to) => ({ path: `steps.${id}`, to })),
    ),
  ];
  return named
    .filter(({ to }) => findStep(definition, to) === undefined)
    .map(({ path, to }) => ({ path, problem: `there is no step named ${to}` }));
}

function missingTexts(definition: FlowDefinition) {
  const known = new Set(Object.keys(texts.en));
  for (const own of Object.values(definition.texts)) for (const key of Object.keys(own)) known.add(key);
  return Object.entries(definition.steps).flatMap(([id, step]) =>
    kindOf(step)
      .textKeys(step)
      .filter((key) => !known.has(key))
      .map((key) => ({ path: `steps.${id}`, problem: `there is no text named ${key}` })),
  );
}

/** Steps that do not wait lead to one step each, so following them either ends or comes back. */
function endlessRings(definition: FlowDefinition) {
  return Object.keys(definition.steps)
    .filter((id) => isInRing(definition, id))
    .map((id) => ({ path: `steps.${id}`, problem: 'leads back to itself without ever waiting for the customer' }));
}

function isInRing(definition: FlowDefinition, from: string): boolean {
  const seen = new Set<string>();
  let current: string | undefined = from;
  while (current !== undefined && !seen.has(current)) {
    seen.add(current);
    const step = findStep(definition, current);
    current = step && !kindOf(step).doesWait ? kindOf(step).targets(step)[0] : undefined;
  }
  return current === from;
}

function shortcutsOf(definition: FlowDefinition): ReadonlyMap<string, string> {
  return new Map(
    definition.shortcuts.flatMap((shortcut) => shortcut.words.map((word) => [foldText(word), shortcut.next] as const)),
  );
}
