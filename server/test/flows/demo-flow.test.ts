import { describe, expect, it } from 'vitest';
import {
  type Advance,
  advance,
  demoFlow,
  type FlowEffect,
  type FlowEvent,
  type FlowFacts,
  type FlowState,
  needKey,
  type ShowingCapabilities,
} from '#flows';
import { textOnly, withLists, withQuickReplies } from './capabilities.ts';
import { shop } from './shop.ts';

/** A customer at the demo flow: says something, sees what comes, and the state goes on. */
function customer(language: string, capabilities: ShowingCapabilities) {
  let state: FlowState | null = null;
  let at = '2026-03-01T10:00:00.000Z';
  return {
    wait(hours: number) {
      at = new Date(Date.parse(at) + hours * 3_600_000).toISOString();
    },
    says: (text: string, choiceId?: string) => move({ kind: 'said', text, ...(choiceId ? { choiceId } : {}) }),
    sends: () => move({ kind: 'sent', type: 'image' }),
    state: () => state,
    forget: (step: string) => {
      state = state && { ...state, step, offered: [] };
    },
  };

  function move(event: FlowEvent): readonly FlowEffect[] {
    let facts: FlowFacts = {
      now: at,
      language,
      contactName: 'Ana',
      shopName: 'Norte',
      capabilities,
      catalogue: {},
    };
    for (;;) {
      const moved: Advance = advance(demoFlow, state, event, facts);
      if (moved.kind === 'done') {
        state = moved.state;
        return moved.effects;
      }
      facts = {
        ...facts,
        catalogue: { ...facts.catalogue, ...shop.answer(moved.need, needKey(moved.need), facts.catalogue) },
      };
    }
  }
}

function textsOf(effects: readonly FlowEffect[]): string[] {
  return effects.flatMap((effect) =>
    effect.kind === 'send' && 'text' in effect.content ? [effect.content.text ?? ''] : [],
  );
}

function contentOf(effects: readonly FlowEffect[]) {
  return effects.flatMap((effect) => (effect.kind === 'send' ? [effect.content] : []));
}

describe('the demo flow in Spanish, with buttons and lists', () => {
  it('greets, shows the menu, lets browse, and hands over', () => {
    const ana = customer('es', withLists);
    const [menu] = contentOf(ana.says('hola'));
    expect(menu).toEqual({
      type: 'buttons',
      text: '¡Hola Ana! Te damos la bienvenida a Norte. 👋\n\n¿En qué podemos ayudarte?',
      buttons: [
        { id: 'menu:browse', title: 'Ver productos' },
        { id: 'menu:hours', title: 'Horario' },
        { id: 'menu:person', title: 'Hablar con alguien' },
      ],
    });

    const [categories] = contentOf(ana.says('Ver productos', 'menu:browse'));
    expect(categories).toMatchObject({ type: 'buttons', text: '¿Qué estás buscando?' });

    const [products] = contentOf(ana.says('Coffee', `categories:${shop.coffee}`));
    expect(products).toMatchObject({ type: 'list', button: 'Productos' });
    const rows = products?.type === 'list' ? products.sections[0]?.rows : [];
    expect(rows).toHaveLength(10);
    expect(rows?.[0]).toMatchObject({ title: 'Bean 0', description: expect.stringContaining('10,00') });
    expect(rows?.[8]).toMatchObject({ title: 'Más' });

    const [second] = contentOf(ana.says('Más', rows?.[8]?.id));
    expect(second?.type === 'list' && second.sections[0]?.rows.map((row) => row.title)).toEqual(['Bean 8', 'Volver']);

    const [card] = contentOf(ana.says('bean 8'));
    expect(card).toMatchObject({ type: 'buttons', text: expect.stringContaining('*Bean 8*') });
    expect(textsOf([{ kind: 'send', content: card! }])[0]).toContain('agotado');

    const back = contentOf(ana.says('Volver'));
    expect(back[0]).toMatchObject({ type: 'list' });

    const handed = ana.says('persona');
    expect(handed).toEqual([
      { kind: 'send', content: { type: 'text', text: expect.stringContaining('una persona de nuestro equipo') } },
      { kind: 'handover', hours: 12 },
    ]);
  });
});

describe('the demo flow in English, as plain text', () => {
  it('numbers the choices and understands numbers', () => {
    const sam = customer('en', textOnly);
    expect(textsOf(sam.says('hello'))).toEqual([
      'Hello Ana! Welcome to Norte. 👋\n\nHow can I help you?\n\n1. See products\n2. Opening hours\n3. Talk to a person\n\nReply with the number of your choice.',
    ]);
    expect(textsOf(sam.says('2'))[0]).toContain('from Monday to Saturday');
    expect(textsOf(sam.says('1'))[0]).toContain('1. Coffee\n2. Tea\n3. Back');
    expect(textsOf(sam.says('1'))[0]).toContain('1. Bean 0 · €10.00');
    expect(textsOf(sam.says('10'))[0]).toContain('What are you looking for?');
    expect(textsOf(sam.says('tea'))[0]).toContain('1. Mint · €5.00');
    expect(textsOf(sam.says('1'))[0]).toContain('*Mint*');
    expect(textsOf(sam.says('main menu'))[0]).toContain('How can I help you?');
    expect(sam.says('agent').at(-1)).toEqual({ kind: 'handover', hours: 12 });
  });
});

describe('the demo flow in Arabic, with quick replies', () => {
  it('shows categories as quick replies and products with prices as text, and takes Arabic digits', () => {
    const omar = customer('ar', withQuickReplies);
    expect(contentOf(omar.says('مرحبا'))[0]).toMatchObject({
      type: 'buttons',
      text: expect.stringContaining('مرحبًا Ana!'),
    });
    expect(contentOf(omar.says('١'))[0]).toMatchObject({ type: 'buttons', text: 'عمّ تبحث؟' });
    const [products] = contentOf(omar.says('Tea'));
    expect(products).toMatchObject({ type: 'text', text: expect.stringContaining('1. Mint · ') });
    expect(contentOf(omar.says('القائمة'))[0]).toMatchObject({ type: 'buttons', text: 'كيف يمكننا مساعدتك؟' });
    expect(omar.says('موظف').at(-1)).toEqual({ kind: 'handover', hours: 12 });
  });
});

describe('what the flow does not understand', () => {
  it('says so twice with the menu, then hands over to a person', () => {
    const ana = customer('en', withLists);
    ana.says('hello');
    expect(textsOf(ana.says('qwertz'))[0]).toBe('Sorry, I did not understand that.\n\nHow can I help you?');
    expect(textsOf(ana.sends())[0]).toContain('I can only read text here');
    expect(ana.says('asdf').at(-1)).toEqual({ kind: 'handover', hours: 12 });
    expect(ana.state()?.misses).toBe(0);
  });

  it('counts anew once it has understood something', () => {
    const ana = customer('en', withLists);
    ana.says('hello');
    ana.says('qwertz');
    ana.says('qwertz');
    ana.says('2');
    expect(textsOf(ana.says('qwertz'))[0]).toContain('did not understand');
  });

  it('goes back to the menu after the person is done', () => {
    const ana = customer('en', withLists);
    ana.says('hello');
    ana.says('3');
    expect(textsOf(ana.says('thanks, one more thing'))[0]).toBe('How can I help you?');
  });
});

describe('old and strange input', () => {
  it('still takes a button of an earlier menu', () => {
    const ana = customer('en', withLists);
    ana.says('hello');
    ana.says('Coffee', `categories:${shop.coffee}`);
    expect(textsOf(ana.says('Opening hours', 'menu:hours'))[0]).toContain('Monday');
  });

  it('takes a tapped button of a conversation it has never met', () => {
    const ana = customer('en', withLists);
    expect(textsOf(ana.says('Mint', `products:${shop.mint}`))[0]).toContain('*Mint*');
  });

  it('says that a product is gone, and shows where to go', () => {
    const ana = customer('en', withLists);
    ana.says('hello');
    const effects = ana.says('x', 'products:018f0000-0000-7000-8000-00000000dead');
    expect(textsOf(effects)[0]).toContain('no longer available');
  });

  it.each(['menu:nothing', 'nowhere:x', ':', 'products:not-an-id', 'constructor:x', '__proto__:x'])(
    'is not led astray by the choice %s',
    (id) => {
      const ana = customer('en', withLists);
      ana.says('hello');
      expect(textsOf(ana.says('???', id))[0]).toContain('did not understand');
    },
  );

  it('starts again, politely, where the step is no longer in the flow', () => {
    const ana = customer('en', withLists);
    ana.says('hello');
    ana.forget('a-step-of-last-year');
    expect(textsOf(ana.says('qwertz'))[0]).toBe('Our menu has changed, so let us start again.\n\nHow can I help you?');
  });

  it('greets anew after a day of silence', () => {
    const ana = customer('en', withLists);
    ana.says('hello');
    ana.wait(25);
    expect(textsOf(ana.says('something'))[0]).toContain('Welcome to Norte');
  });
});
