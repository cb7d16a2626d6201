import { z } from 'zod';
import type { StepKind } from './step.ts';

const schema = z.strictObject({ kind: z.literal('goto'), next: z.string() });

/** Another name for a step. */
export const goto: StepKind<z.infer<typeof schema>> = {
  schema,
  doesWait: false,
  targets: (step) => [step.next],
  textKeys: () => [],
  enter: (step) => ({ kind: 'go', to: step.next }),
};
