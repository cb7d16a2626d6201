import { z } from 'zod';
import type { StepKind } from './step.ts';

const schema = z.strictObject({ kind: z.literal('say'), text: z.string(), next: z.string() });

/** Says a text at the head of the next message, and walks on. */
export const say: StepKind<z.infer<typeof schema>> = {
  schema,
  doesWait: false,
  targets: (step) => [step.next],
  textKeys: (step) => [step.text],
  enter: (step, ctx) => ({ kind: 'go', to: step.next, lead: ctx.say(step.text) }),
};
