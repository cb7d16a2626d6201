/** The table of step kinds: a new one is its file and a line here. */
import { z } from 'zod';
import { categories } from './categories.ts';
import { collect } from './collect.ts';
import { goto } from './goto.ts';
import { handover } from './handover.ts';
import { menu } from './menu.ts';
import { product } from './product.ts';
import { products } from './products.ts';
import { say } from './say.ts';
import type { StepKind } from './step.ts';

export const stepKinds = { say, menu, categories, products, product, handover, goto, collect } as const;

type StepOf<Kind> = Kind extends StepKind<infer Step> ? Step : never;
export type StepKindName = keyof typeof stepKinds;
export type Step = StepOf<(typeof stepKinds)[StepKindName]>;

/** The kind of a parsed step. The table pairs them; the compiler cannot follow it through the union. */
export function kindOf(step: Step): StepKind<Step> {
  return stepKinds[step.kind] as unknown as StepKind<Step>;
}

const kindNames = Object.keys(stepKinds) as StepKindName[];

/** One step of a definition: first its kind, then by that kind's own schema. */
export const stepSchema = z.looseObject({ kind: z.enum(kindNames) }).transform((raw, issues): Step => {
  const parsed = (stepKinds[raw.kind].schema as z.ZodType<Step>).safeParse(raw);
  if (parsed.success) return parsed.data;
  for (const issue of parsed.error.issues)
    issues.addIssue({ code: 'custom', message: issue.message, path: issue.path });
  return z.NEVER;
});
