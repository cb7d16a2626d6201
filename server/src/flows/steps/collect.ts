import { countryOfPhone, parsePhone } from '@switchyard/contract';
import { z } from 'zod';
import type { StepKind } from './step.ts';

const maxAnswerLength = 500;

const schema = z.strictObject({
  kind: z.literal('collect'),
  text: z.string(),
  /** The name under which the answer is kept. */
  save: z.string().regex(/^\w{1,40}$/),
  /** What an answer must be. A closed list: a pattern from a tenant could run for ever. */
  as: z.enum(['text', 'number', 'email', 'phone']).default('text'),
  invalid: z.string().default('collect.invalid'),
  next: z.string(),
});

/** Asks for something in the customer's own words, and keeps the answer. */
export const collect: StepKind<z.infer<typeof schema>> = {
  schema,
  doesWait: true,
  targets: (step) => [step.next],
  textKeys: (step) => [step.text, step.invalid],
  enter: (step, ctx) => ({ kind: 'wait', sends: [{ type: 'text', text: ctx.say(step.text) }] }),
  hear(step, text, ctx) {
    const answer = readers[step.as](text.trim());
    if (answer === undefined) return { kind: 'again', lead: ctx.say(step.invalid) };
    return { kind: 'go', to: step.next, collected: { [step.save]: answer } };
  },
};

/** The answer in one form, or undefined when it is none. */
const readers: Readonly<Record<'text' | 'number' | 'email' | 'phone', (text: string) => string | undefined>> = {
  text: (text) => (text === '' ? undefined : text.slice(0, maxAnswerLength)),
  number: (text) => (/^-?\d{1,15}([.,]\d{1,6})?$/.test(text) ? text.replace(',', '.') : undefined),
  email: (text) => (/^[^\s@]{1,64}@[^\s@]{1,180}\.[^\s@.]{2,60}$/.test(text) ? text.toLowerCase() : undefined),
  phone: (text) => {
    const phone = parsePhone(text);
    return phone !== undefined && countryOfPhone(phone) !== undefined ? phone : undefined;
  },
};
