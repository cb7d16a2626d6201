import { parseId } from '@switchyard/contract';
import { z } from 'zod';
import { formatPrice, isInStock, type Product, type ProductPage } from '#commerce';
import { needKey } from '../flow.ts';
import { present } from '../present.ts';
import { navigation, pageSize, parsePageNumber } from './paging.ts';
import { choiceId, type Outcome, type StepContext, type StepKind } from './step.ts';

const schema = z.strictObject({
  kind: z.literal('products'),
  text: z.string().default('products.ask'),
  empty: z.string().default('products.empty'),
  /** A `product` step; gets `product`. */
  next: z.string(),
  /** A `categories` step. */
  back: z.string(),
});

/** Shows one page of the products of `vars.category`, with prices. */
export const products: StepKind<z.infer<typeof schema>> = {
  schema,
  doesWait: true,
  targets: (step) => [step.next, step.back],
  textKeys: (step) => [step.text, step.empty],
  enter(step, ctx) {
    const categoryId = parseId('category', ctx.vars.category ?? '');
    if (!categoryId) return { kind: 'go', to: step.back };
    const page = parsePageNumber(ctx.vars.page);
    const need = { kind: 'productPage', categoryId, page, size: pageSize(ctx.facts.capabilities) } as const;
    const found = ctx.facts.catalogue.productPages?.[needKey(need)];
    if (found === undefined) return { kind: 'needs', need };
    if (found.items.length === 0) return { kind: 'go', to: step.back, vars: {}, lead: ctx.say(step.empty) };
    return show(ctx, ctx.say(step.text), { ...found, categoryId });
  },
  pick(step, value, ctx) {
    if (value === 'back') return { kind: 'go', to: step.back, vars: {} };
    const turned = /^page\.(\d{1,4})\.(.+)$/.exec(value);
    if (turned) return { kind: 'go', to: ctx.id, vars: { page: turned[1] ?? '0', category: turned[2] ?? '' } };
    const product = parseId('product', value);
    return product ? { kind: 'go', to: step.next, vars: { ...ctx.vars, product } } : { kind: 'not-understood' };
  },
};

function show(ctx: StepContext, text: string, shown: ProductPage & { readonly categoryId: string }): Outcome {
  const rows = shown.items.map((product) => ({
    id: choiceId(ctx.id, product.id),
    title: product.name,
    description: priceLine(product, ctx),
  }));
  const more = shown.hasMore ? `page.${shown.page + 1}.${shown.categoryId}` : null;
  const { content, offered } = present(
    {
      text,
      choices: [...rows, ...navigation(ctx, more)],
      button: ctx.say('products.button'),
      numberHint: ctx.say('menu.number'),
    },
    ctx.facts.capabilities,
  );
  return { kind: 'wait', sends: [content], offered };
}

export function priceLine(product: Product, ctx: StepContext): string {
  const price = formatPrice(product, ctx.facts.language);
  return isInStock(product) ? price : `${price} (${ctx.say('product.soldOut')})`;
}
