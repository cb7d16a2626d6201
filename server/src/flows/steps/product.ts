import { type OutboundContent, parseId } from '@switchyard/contract';
import { z } from 'zod';
import type { Product } from '#commerce';
import { present } from '../present.ts';
import { priceLine } from './products.ts';
import { choiceId, type StepContext, type StepKind } from './step.ts';

const schema = z.strictObject({
  kind: z.literal('product'),
  text: z.string().default('product.next'),
  gone: z.string().default('product.gone'),
  /** Where a question about it goes. */
  ask: z.string(),
  /** A `products` step: the page that it came from. */
  back: z.string(),
  home: z.string(),
});

/** Shows `vars.product`: picture where there is one, name, price, description, and where to go from here. */
export const product: StepKind<z.infer<typeof schema>> = {
  schema,
  doesWait: true,
  targets: (step) => [step.ask, step.back, step.home],
  textKeys: (step) => [step.text, step.gone],
  enter(step, ctx) {
    const productId = parseId('product', ctx.vars.product ?? '');
    if (!productId) return { kind: 'go', to: step.back };
    const found = ctx.facts.catalogue.products?.[productId];
    if (found === undefined) return { kind: 'needs', need: { kind: 'product', productId } };
    if (found === null) return { kind: 'go', to: step.back, lead: ctx.say(step.gone) };
    return { kind: 'wait', ...show(ctx, ctx.say(step.text), found) };
  },
  pick(step, value) {
    if (value === 'ask') return { kind: 'go', to: step.ask };
    if (value === 'back') return { kind: 'go', to: step.back };
    return value === 'home' ? { kind: 'go', to: step.home } : { kind: 'not-understood' };
  },
};

function show(ctx: StepContext, question: string, shown: Product) {
  const card = `*${shown.name}*\n${priceLine(shown, ctx)}\n\n${shown.description}`.trim();
  const picture = pictureOf(shown, card, ctx);
  const { content, offered } = present(
    {
      text: picture ? question : `${card}\n\n${question}`,
      choices: [
        { id: choiceId(ctx.id, 'ask'), title: ctx.say('product.ask') },
        { id: choiceId(ctx.id, 'back'), title: ctx.say('list.back') },
        { id: choiceId(ctx.id, 'home'), title: ctx.say('menu.home') },
      ],
      button: ctx.say('menu.button'),
      numberHint: ctx.say('menu.number'),
    },
    ctx.facts.capabilities,
  );
  return { sends: picture ? [picture, content] : [content], offered };
}

function pictureOf(shown: Product, caption: string, ctx: StepContext): OutboundContent | null {
  if (shown.imageUrl === null || !ctx.facts.capabilities.sends.includes('image')) return null;
  return { type: 'image', media: { url: shown.imageUrl }, caption };
}
