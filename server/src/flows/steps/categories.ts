import { parseId } from '@switchyard/contract';
import { z } from 'zod';
import { present } from '../present.ts';
import { navigation, pageSize, parsePageNumber } from './paging.ts';
import { choiceId, type Outcome, type StepContext, type StepKind } from './step.ts';

const schema = z.strictObject({
  kind: z.literal('categories'),
  text: z.string().default('categories.ask'),
  empty: z.string().default('categories.empty'),
  /** A `products` step; gets `category`. */
  next: z.string(),
  back: z.string(),
});

/** Shows the categories of the catalogue. */
export const categories: StepKind<z.infer<typeof schema>> = {
  schema,
  doesWait: true,
  targets: (step) => [step.next, step.back],
  textKeys: (step) => [step.text, step.empty],
  enter(step, ctx) {
    const known = ctx.facts.catalogue.categories;
    if (known === undefined) return { kind: 'needs', need: { kind: 'categories' } };
    const filled = known.filter((category) => category.productCount > 0);
    if (filled.length === 0) return { kind: 'go', to: step.back, lead: ctx.say(step.empty) };
    return show(ctx, ctx.say(step.text), filled);
  },
  pick(step, value, ctx) {
    if (value === 'back') return { kind: 'go', to: step.back };
    if (value.startsWith('page.')) return { kind: 'go', to: ctx.id, vars: { ...ctx.vars, page: value.slice(5) } };
    const category = parseId('category', value);
    return category ? { kind: 'go', to: step.next, vars: { category, page: '0' } } : { kind: 'not-understood' };
  },
};

function show(ctx: StepContext, text: string, all: readonly { readonly id: string; readonly name: string }[]): Outcome {
  const size = pageSize(ctx.facts.capabilities);
  const page = Math.min(parsePageNumber(ctx.vars.page), Math.ceil(all.length / size) - 1);
  const rows = all
    .slice(page * size, (page + 1) * size)
    .map((category) => ({ id: choiceId(ctx.id, category.id), title: category.name }));
  const more = (page + 1) * size < all.length ? `page.${page + 1}` : null;
  const { content, offered } = present(
    {
      text,
      choices: [...rows, ...navigation(ctx, more)],
      button: ctx.say('categories.button'),
      numberHint: ctx.say('menu.number'),
    },
    ctx.facts.capabilities,
  );
  return { kind: 'wait', sends: [content], offered };
}
