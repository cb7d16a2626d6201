import { z } from 'zod';
import { present } from '../present.ts';
import { choiceId, type StepKind } from './step.ts';

const maxChoices = 10;

const schema = z.strictObject({
  kind: z.literal('menu'),
  text: z.string(),
  choices: z
    .array(z.strictObject({ value: z.string().regex(/^[\w-]{1,40}$/), title: z.string(), next: z.string() }))
    .min(1)
    .max(maxChoices),
});

/** Asks with a few fixed choices. */
export const menu: StepKind<z.infer<typeof schema>> = {
  schema,
  doesWait: true,
  targets: (step) => step.choices.map((choice) => choice.next),
  textKeys: (step) => [step.text, ...step.choices.map((choice) => choice.title)],
  enter(step, ctx) {
    const choices = step.choices.map(({ value, title }) => ({ id: choiceId(ctx.id, value), title: ctx.say(title) }));
    const { content, offered } = present(
      { text: ctx.say(step.text), choices, button: ctx.say('menu.button'), numberHint: ctx.say('menu.number') },
      ctx.facts.capabilities,
    );
    return { kind: 'wait', sends: [content], offered };
  },
  pick(step, value) {
    const chosen = step.choices.find((choice) => choice.value === value);
    return chosen ? { kind: 'go', to: chosen.next } : { kind: 'not-understood' };
  },
};
