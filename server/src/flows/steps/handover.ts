import { z } from 'zod';
import type { StepKind } from './step.ts';

const schema = z.strictObject({
  kind: z.literal('handover'),
  text: z.string(),
  /** How long the bot keeps silent. */
  hours: z.number().positive().max(720),
  /** Where the conversation goes on when the bot has it back. */
  next: z.string(),
});

/** Gives the conversation to a person, and says so. */
export const handover: StepKind<z.infer<typeof schema>> = {
  schema,
  doesWait: true,
  targets: (step) => [step.next],
  textKeys: (step) => [step.text],
  enter: (step, ctx) => ({
    kind: 'wait',
    sends: [{ type: 'text', text: ctx.say(step.text) }],
    effects: [{ kind: 'handover', hours: step.hours }],
  }),
  hear: (step) => ({ kind: 'go', to: step.next }),
};
