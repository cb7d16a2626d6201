import type { MessageContent } from '@switchyard/contract';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { newId } from '#kernel';
import { openPipelineWorld, type PipelineWorld, plainText } from './world.ts';

let world: PipelineWorld;

beforeAll(async () => {
  world = await openPipelineWorld();
});
afterAll(() => world.close());

const hourMs = 3_600_000;

describe('a turn', () => {
  it('saves the message, queues the answer, moves the session and leaves a trace, all in one transaction', async () => {
    const ana = world.customer();
    const outcome = await ana.sends('hola');
    expect(outcome).toMatchObject({ kind: 'answered', reason: 'demo/menu' });
    const queued = await ana.queued();
    expect(queued).toEqual([
      { state: 'queued', turnId: expect.any(String), content: expect.objectContaining({ type: 'buttons' }) },
    ]);
    expect(queued[0]?.content).toMatchObject({
      text: expect.stringContaining('¡Hola Ana! Te damos la bienvenida a Norte.'),
    });
    expect(await ana.conversation()).toMatchObject({ language: 'es', session: { flow: { step: 'menu' } } });
    const [turn] = await ana.turns();
    expect(turn).toMatchObject({ outcome: 'answered: demo/menu' });
    expect(turn?.steps.map((step) => `${step.name} ${step.verdict}`)).toEqual([
      'duplicate passed',
      'answerable passed',
      'staleness passed',
      'language passed',
      'opt-out passed',
      'consent passed',
      'window passed',
      'handover passed',
      'rate passed',
      'flow answered',
    ]);
    const { data } = await world.run(async (tx) =>
      world.conversations.listMessages(tx, (await ana.conversation()).id, { limit: 10 }),
    );
    expect(data.map((message) => [message.author, message.direction, message.status])).toEqual([
      ['bot', 'out', 'queued'],
      ['customer', 'in', 'received'],
    ]);
  });

  it('leaves nothing behind when its transaction fails', async () => {
    const ana = world.customer({
      parts: {
        middleware: [
          {
            name: 'broken',
            handle: async () => {
              throw new Error('no');
            },
          },
        ],
      },
    });
    await expect(ana.sends('hola')).rejects.toThrow('no');
    expect(await ana.turns()).toEqual([]);
    expect(await ana.queued()).toEqual([]);
    const left = await world.run(async (tx) =>
      world.conversations.listMessages(tx, (await ana.conversation()).id, { limit: 1 }),
    );
    expect(left.data).toEqual([]);
  });

  it('answers a message once, whatever way it comes again', async () => {
    const ana = world.customer();
    await ana.sends('hola', { event: { providerMessageId: 'wamid.twice' } });
    const again = await ana.sends('hola', { event: { providerMessageId: 'wamid.twice' } });
    expect(again).toMatchObject({ kind: 'silent', reason: 'duplicate' });
    expect(await ana.queued()).toHaveLength(1);
    expect((await ana.conversation()).lastInboundAt).toEqual(world.clock.now());
  });
});

describe('the demo shop as a conversation', () => {
  it('lets a Spanish customer browse by taps and hands them over', async () => {
    const ana = world.customer();
    await ana.sends('hola');
    await ana.taps('menu:browse', 'Ver productos');
    const categories = (await ana.queued()).at(-1)?.content;
    expect(categories).toMatchObject({ type: 'list', text: '¿Qué estás buscando?' });
    const row = categories?.type === 'list' ? categories.sections[0]?.rows[0] : undefined;
    expect(row?.title).toBe('☕ Café · Coffee');
    await ana.sends({ type: 'list_reply', id: row?.id ?? '', title: row?.title ?? '' });
    const products = (await ana.queued()).at(-1)?.content;
    const huila = products?.type === 'list' ? products.sections[0]?.rows[0] : undefined;
    expect(huila).toMatchObject({ title: 'Huila 250 g', description: '12,50\u00a0€' });
    await ana.sends({ type: 'list_reply', id: huila?.id ?? '', title: 'Huila 250 g' });
    expect(await ana.lastText()).toContain('Caramel, red apple');
    await ana.taps('product:ask', 'Preguntar por él');
    expect(await ana.lastText()).toContain('Te paso con una persona');
    expect(await ana.conversation()).toMatchObject({
      handler: 'person',
      handlerUntil: new Date(world.clock.now().getTime() + 12 * hourMs),
    });
    expect(await ana.sends('¿sigue ahí?')).toMatchObject({ kind: 'silent', reason: 'with-a-person' });
  });

  it('lets an English customer browse by numbers where there are no buttons', async () => {
    const sam = world.customer({ capabilities: plainText });
    await sam.sends('hello');
    await sam.sends('1');
    expect(await sam.lastText()).toContain('2. 🍵 Té · Tea');
    await sam.sends('2');
    expect(await sam.lastText()).toContain('1. Atlas Mint 80 g · €7.90');
    await sam.sends('atlas');
    expect(await sam.lastText()).toContain('*Atlas Mint 80 g*');
    await sam.sends('menu');
    expect(await sam.lastText()).toContain('How can I help you?');
  });

  it('speaks Arabic to whom writes Arabic, and keeps to it for numbers', async () => {
    const omar = world.customer({ capabilities: plainText });
    await omar.sends('السلام عليكم');
    expect(await omar.lastText()).toContain('مرحبًا');
    await omar.sends('١');
    expect(await omar.lastText()).toContain('عمّ تبحث؟');
    await omar.sends('3');
    expect(await omar.lastText()).toContain('Picual olive oil 500 ml · ');
    expect(await omar.lastText()).not.toMatch(/[٠-٩]/);
  });
});

describe('refusing our messages', () => {
  it('confirms a STOP once, is silent after it, and comes back by START', async () => {
    const ana = world.customer();
    await ana.sends('hola');
    expect(await ana.sends('¡BAJA!')).toMatchObject({ kind: 'answered', reason: 'opted-out' });
    expect(await ana.lastText()).toContain('Envía ALTA');
    expect(await ana.sends('baja')).toMatchObject({ kind: 'silent', reason: 'opted-out-already' });
    expect(await ana.sends('hola')).toMatchObject({ kind: 'silent', reason: 'opted-out' });
    expect(await ana.sends('alta')).toMatchObject({ kind: 'answered', reason: 'opted-in' });
    expect(await ana.sends('hola')).toMatchObject({ kind: 'answered' });
    const ledger = await world.db.ownerQuery(
      'SELECT choice, topic, channel, source, evidence FROM consents WHERE contact_id = $1 ORDER BY id',
      [(await ana.conversation()).contactId],
    );
    expect(ledger).toEqual([
      { choice: 'out', topic: 'all', channel: 'whatsapp', source: 'message', evidence: '¡BAJA!' },
      { choice: 'in', topic: 'all', channel: 'whatsapp', source: 'message', evidence: 'alta' },
    ]);
  });

  it('counts while a person has the conversation, and as the title of a button', async () => {
    const ana = world.customer();
    await ana.sends('agent');
    expect(await ana.taps('whatever', 'Stop')).toMatchObject({ reason: 'opted-out' });
  });

  it('takes START for an ordinary word from whom has refused nothing', async () => {
    const ana = world.customer();
    expect(await ana.sends('start')).toMatchObject({ kind: 'answered', reason: 'demo/menu' });
  });
});

describe('what is kept and never answered', () => {
  const age = (ms: number) => ({ event: { occurredAt: new Date(world.clock.now().getTime() - ms).toISOString() } });

  it('a backlog, but not what is a little late', async () => {
    const ana = world.customer();
    expect(await ana.sends('hola', age(15 * 60_000 + 1))).toMatchObject({ kind: 'silent', reason: 'stale' });
    expect(await ana.sends('hola', age(14 * 60_000))).toMatchObject({ kind: 'answered' });
  });

  it('history, which does not count as unread either', async () => {
    const ana = world.customer();
    expect(await ana.sends('hola', { event: { isHistory: true } })).toMatchObject({ reason: 'history' });
    const { id } = await ana.conversation();
    expect(await world.run((tx) => world.conversations.findSummary(tx, id))).toMatchObject({ unreadCount: 0 });
  });

  it('a group', async () => {
    expect(await world.customer().sends('hola', { event: { groupId: '1@g.us' } })).toMatchObject({ reason: 'group' });
  });

  it.each<MessageContent>([
    { type: 'comment', text: 'hola' },
    { type: 'mention', mediaId: '1' },
    { type: 'story_mention', media: {} },
    { type: 'sticker', media: {} },
    { type: 'system', name: 'customer_identity_changed' },
    { type: 'unsupported', name: 'ephemeral' },
    { type: 'poll', title: 'x', options: [] },
  ])('$type', async (content) => {
    const ana = world.customer();
    expect(await ana.sends(content)).toMatchObject({ kind: 'silent', reason: `no-answer-to-${content.type}` });
    expect(await ana.queued()).toEqual([]);
  });

  it('everything where the legacy system serves', async () => {
    expect(await world.customer({ cutover: 'legacy' }).sends('hola')).toMatchObject({ reason: 'served-by-legacy' });
  });
});

describe('what is answered but held', () => {
  it('a test, whatever its age, without a trace in consent or window', async () => {
    const ana = world.customer();
    const outcome = await ana.sends('hola', { isTest: true, event: { occurredAt: '2017-01-01T00:00:00Z' } });
    expect(outcome.kind).toBe('answered');
    await ana.sends('stop', { isTest: true });
    expect((await ana.queued()).map((one) => one.state)).toEqual(['held', 'held']);
    expect(await ana.conversation()).toMatchObject({ lastInboundAt: null, consent: null });
  });

  it('the shadow of a legacy system', async () => {
    const ana = world.customer({ cutover: 'shadow' });
    await ana.sends('hola');
    expect((await ana.queued()).map((one) => one.state)).toEqual(['held']);
  });
});

describe('orders, pictures and advertisements', () => {
  it('thanks for an order and gives it to a person', async () => {
    const ana = world.customer();
    await ana.sends('hola');
    const items = [{ productId: 'CAF-HUI-250', quantity: 2, price: '12.50', currency: 'EUR' }];
    expect(await ana.sends({ type: 'order', items })).toMatchObject({ kind: 'answered', reason: 'order' });
    expect(await ana.lastText()).toContain('¡Gracias por tu pedido!');
    expect(await ana.conversation()).toMatchObject({ handler: 'person' });
  });

  it('says that it cannot look at a picture, and understands its caption', async () => {
    const ana = world.customer();
    await ana.sends('hola');
    await ana.sends({ type: 'image', media: { id: '1' } });
    expect(await ana.lastText()).toContain('solo puedo leer texto');
    await ana.sends({ type: 'image', media: { id: '2' }, caption: 'horario' });
    expect(await ana.lastText()).toContain('lunes a sábado');
  });

  it('greets whom an advertisement brings, and keeps the entry free for three days', async () => {
    const ana = world.customer();
    const outcome = await ana.sends({ type: 'referral' }, { event: { referral: { sourceType: 'ad', sourceId: '1' } } });
    expect(outcome).toMatchObject({ kind: 'answered', reason: 'demo/menu' });
    expect((await ana.conversation()).freeEntryUntil).toEqual(new Date(world.clock.now().getTime() + 72 * hourMs));
  });
});

/** As the dispatcher leaves it when the request is out. */
async function beginToSend(turnId: string): Promise<void> {
  await world.db.ownerQuery(
    `WITH begun AS (
       UPDATE outbox SET state = 'sending', attempt_id = $2, attempts = 1 WHERE turn_id = $1
       RETURNING workspace_id, id, account_id)
     INSERT INTO attempts (workspace_id, id, outbound_id, account_id, number)
       SELECT workspace_id, $2, id, account_id, 1 FROM begun`,
    [turnId, newId('attempt')],
  );
}

describe('people and the bot', () => {
  const typed = { event: { direction: 'out', type: 'echo' } } as const;

  it('is silent for an hour after somebody typed on the phone, then answers again', async () => {
    const ana = world.customer();
    await ana.sends('hola');
    expect(await ana.sends('¡Hola Ana! Soy Luis.', typed)).toMatchObject({ kind: 'silent', reason: 'device-takeover' });
    expect(await ana.sends('ah, hola')).toMatchObject({ kind: 'silent', reason: 'with-a-person' });
    world.clock.advanceMs(hourMs + 1);
    expect(await ana.sends('hola')).toMatchObject({ kind: 'answered' });
    expect(await ana.conversation()).toMatchObject({ handler: 'bot', handlerUntil: null });
    const authors = await world.db.ownerQuery('SELECT author FROM messages WHERE conversation_id = $1 ORDER BY id', [
      (await ana.conversation()).id,
    ]);
    expect(authors.map((row) => row.author)).toEqual(['customer', 'bot', 'device', 'customer', 'customer', 'bot']);
  });

  it('does not take the conversation away from whom has it without end', async () => {
    const ana = world.customer();
    const { id } = await ana.conversation();
    await world.run((tx) => world.conversations.changeConversation(tx, id, { handler: 'person', handlerUntil: null }));
    await ana.sends('voy', typed);
    expect(await ana.conversation()).toMatchObject({ handler: 'person', handlerUntil: null });
  });

  it('does not mind what was typed long ago, in history, or while the legacy system answers', async () => {
    const ana = world.customer();
    const longAgo = new Date(world.clock.now().getTime() - 2 * hourMs).toISOString();
    await ana.sends('a', { event: { ...typed.event, occurredAt: longAgo } });
    await ana.sends('b', { event: { ...typed.event, isHistory: true } });
    const shadowed = world.customer({ cutover: 'shadow' });
    await shadowed.sends('c', typed);
    expect([(await ana.conversation()).handler, (await shadowed.conversation()).handler]).toEqual(['bot', 'bot']);
  });

  it('knows its own message when it comes back, and saves nothing twice', async () => {
    const ana = world.customer();
    await ana.sends('hola');
    const [queued] = await ana.queued();
    await world.db.ownerQuery(
      `UPDATE messages SET provider_message_id = 'wamid.ours', status = 'sent' WHERE turn_id = $1 AND direction = 'out'`,
      [queued?.turnId],
    );
    const echo = await ana.sends('x', { event: { ...typed.event, providerMessageId: 'wamid.ours' } });
    expect(echo).toMatchObject({ kind: 'silent', reason: 'own-echo' });
    expect(await ana.conversation()).toMatchObject({ handler: 'bot' });
  });

  it('knows its own menu as Evolution dresses it, while the answer to the send is still awaited', async () => {
    const ana = world.customer();
    await ana.sends('hola');
    const [queued] = await ana.queued();
    const menu = queued?.content as Extract<MessageContent, { type: 'buttons' }>;
    expect(menu.type).toBe('buttons');
    await beginToSend(queued!.turnId);
    const [title = '', ...rest] = menu.text.split('\n');
    const echo = await ana.sends(`*${title}*\n\n${rest.join('\n').trim()}`, typed);
    expect(echo).toMatchObject({ kind: 'silent', reason: 'own-echo' });
    expect(await ana.queued()).toMatchObject([{ state: 'sent' }]);
    expect(await ana.conversation()).toMatchObject({ handler: 'bot', handlerUntil: null });
  });
});

describe('too much', () => {
  it('answers so often a minute, says so once, then waits for the minute to end', async () => {
    const ana = world.customer({ parts: { limits: { answersPerMinute: 3 } } });
    const outcomes = [];
    for (let i = 0; i < 6; i += 1) outcomes.push(await ana.sends('menu'));
    expect(outcomes.map((one) => (one.kind === 'waiting' ? '' : one.reason))).toEqual([
      'demo/menu',
      'demo/menu',
      'demo/menu',
      'rate-notice',
      'rate-limited',
      'rate-limited',
    ]);
    world.clock.advanceMs(60_000);
    expect(await ana.sends('menu')).toMatchObject({ kind: 'answered', reason: 'demo/menu' });
  });

  it('is not silent for an hour when the clock is put back by one', async () => {
    const ana = world.customer({ parts: { limits: { answersPerMinute: 1 } } });
    await ana.sends('menu');
    expect(await ana.sends('menu')).toMatchObject({ reason: 'rate-notice' });
    world.clock.advanceMs(-3_600_000);
    expect(await ana.sends('menu')).toMatchObject({ kind: 'answered', reason: 'demo/menu' });
    world.clock.advanceMs(3_600_000);
  });
});

describe('acts on earlier messages', () => {
  it('wait for their message, and then touch it, without an answer', async () => {
    const ana = world.customer();
    const act: MessageContent = { type: 'edit', targetId: 'wamid.late', content: { type: 'text', text: 'hola!' } };
    expect(await ana.sends(act)).toMatchObject({ kind: 'waiting', waitKey: 'wamid.late' });
    expect(await ana.turns()).toEqual([]);
    await ana.sends('hola', { event: { providerMessageId: 'wamid.late' } });
    expect(await ana.sends(act)).toMatchObject({ kind: 'silent', reason: 'edit-applied' });
    const like: MessageContent = { type: 'reaction', targetId: 'wamid.late', emoji: '👍' };
    expect(await ana.sends(like)).toMatchObject({ kind: 'silent', reason: 'reaction-applied' });
    const gone: MessageContent = { type: 'delete', targetId: 'wamid.late' };
    expect(await ana.sends(gone)).toMatchObject({ kind: 'silent', reason: 'delete-applied' });
    expect(await ana.queued()).toHaveLength(1);
  });

  it('take effect also where the provider names nobody', async () => {
    const ana = world.customer();
    await ana.sends('my secret', { event: { providerMessageId: 'wamid.revoked' } });
    const nobody = world.customer({ identities: [] });
    const revoked: MessageContent = { type: 'delete', targetId: 'wamid.revoked' };
    expect(await nobody.sends(revoked)).toMatchObject({ kind: 'silent', reason: 'delete-applied' });
    expect(await nobody.sends({ type: 'mention', mediaId: '1' })).toMatchObject({ reason: 'no-answer-to-mention' });
  });

  it('a new number is taken in', async () => {
    const ana = world.customer();
    await ana.sends({ type: 'system', name: 'user_changed_number', newAddress: '34699000111' });
    const same = await world.meet([{ kind: 'wa_id', value: '34699000111' }]);
    expect(same.conversationId).toBe((await ana.conversation()).id);
  });
});

describe('a flow of the workspace’s own', () => {
  const definition = {
    name: 'own',
    version: 1,
    start: 'hi',
    home: 'hi',
    misunderstood: { limit: 2, next: 'bye' },
    texts: { en: { 'own.hi': 'Welcome to the clinic, {shop}!' }, es: { 'own.hi': 'Bienvenida a la clínica {shop}' } },
    steps: {
      hi: { kind: 'menu', text: 'own.hi', choices: [{ value: 'bye', title: 'menu.person', next: 'bye' }] },
      bye: { kind: 'handover', text: 'handover', hours: 1, next: 'hi' },
    },
  };
  const activate = (version: number, source: unknown) =>
    world.db.ownerQuery(
      `WITH off AS (UPDATE flows SET is_active = false WHERE workspace_id = $1)
       INSERT INTO flows (workspace_id, id, name, version, definition, is_active)
       VALUES ($1, gen_random_uuid(), 'own' || $2::int, $2::int, $3, true)`,
      [world.workspaceId, version, JSON.stringify(source)],
    );

  it('answers instead of the demo flow; one that cannot be read sends customers to a person, and the trace says why', async () => {
    const ana = world.customer();
    await activate(1, definition);
    expect(await ana.sends('hola')).toMatchObject({ reason: 'own/hi' });
    expect(await ana.lastText()).toBe('Bienvenida a la clínica Norte');
    await activate(2, { ...definition, start: 'gone' });
    const outcome = await ana.sends('hola');
    expect(outcome).toMatchObject({ kind: 'answered', reason: 'fallback' });
    expect(outcome.steps.find((step) => step.name === 'flow')?.detail).toContain('there is no step named gone');
    expect(await ana.conversation()).toMatchObject({ handler: 'person' });
    await world.db.ownerQuery('DELETE FROM flows WHERE workspace_id = $1', [world.workspaceId]);
  });
});
