/** Whatever an authentic body holds: nothing is lost in silence, and its neighbours are handled. */
import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { shardOf } from '#inbox';
import { querying } from './querying.ts';
import {
  body,
  delivery,
  type InboxWorld,
  openInboxWorld,
  type Shop,
  status,
  text,
  textBody,
  value,
  type WorkerFacts,
} from './world.ts';

let world: InboxWorld;
beforeAll(async () => {
  world = await openInboxWorld();
});
afterAll(() => world.close());

async function handle(shop: Shop, sent: readonly ReturnType<typeof delivery>[], facts: WorkerFacts = {}) {
  const receiver = world.receiver();
  for (const one of sent) await receiver.receive(one);
  const worker = world.worker({ parts: { middleware: [] }, turnLimits: { retryDelayMs: 5, idleMs: 20 }, ...facts });
  await world.settled();
  await worker.stop(5_000);
  return outcomeOf(shop);
}

async function outcomeOf(shop: Shop) {
  const one = <Row extends Record<string, unknown>>(sql: string) => world.db.ownerQuery<Row>(sql, [shop.workspaceId]);
  return {
    states: (await one<{ state: string }>('SELECT state FROM inbox WHERE workspace_id = $1 ORDER BY position')).map(
      (row) => row.state,
    ),
    texts: (
      await one<{ text: string }>(`SELECT text FROM messages WHERE workspace_id = $1 AND direction = 'in' ORDER BY id`)
    ).map((row) => row.text),
    letters: await one<{ reason: string; path: string }>(
      'SELECT reason, path FROM dead_letters WHERE workspace_id = $1 ORDER BY id',
    ),
    events: (await one<{ state: string }>('SELECT state FROM events WHERE workspace_id = $1 ORDER BY id')).map(
      (row) => row.state,
    ),
  };
}

const deep = (open: string, close: string) => `${open.repeat(100_000)}1${close.repeat(100_000)}`;

describe('a body that cannot be read', () => {
  it.each<[string, (shop: Shop) => string | Buffer]>([
    ['is 100,000 arrays deep', () => deep('[', ']')],
    ['is 100,000 objects deep', () => deep('{"entry":', '}')],
    ['is cut off', (shop) => JSON.stringify(textBody(shop, {})).slice(0, -20)],
    ['is a form', () => 'entry=1&object=whatsapp_business_account'],
    ['is empty', () => ''],
    ['is null', () => 'null'],
    ['is a list of numbers', () => '[7]'],
    ['is no text', () => Buffer.from([0xff, 0xfe, 0x00, 0x7b])],
  ])('%s: a dead letter, and the next delivery is handled', async (_name, bytes) => {
    const shop = await world.shop();
    const outcome = await handle(shop, [delivery(shop, bytes(shop)), delivery(shop, textBody(shop, { text: 'next' }))]);
    expect(outcome.states).toEqual(['dead', 'normalised']);
    expect(outcome.letters).toMatchObject([{ reason: 'unreadable' }]);
    expect(outcome.texts).toEqual(['next']);
  });
});

describe('a part that is odd', () => {
  it.each<[string, unknown]>([
    ['is null', null],
    ['is a list', [[]]],
    ['is a number', 7],
    ['lacks its id', { from: '34600000001', timestamp: '1', type: 'text', text: { body: 'x' } }],
    ['has lists for texts', { from: ['1'], id: ['2'], timestamp: ['3'], type: ['text'], text: ['x'] }],
  ])('%s: a dead letter with its place, and its neighbours are handled', async (_name, part) => {
    const shop = await world.shop();
    const messages = [text({ text: 'before' }), part, text({ text: 'after' })];
    const outcome = await handle(shop, [delivery(shop, body(shop, value(shop, { messages })))]);
    expect(outcome.texts).toEqual(['before', 'after']);
    expect(outcome.letters).toMatchObject([{ path: '/entry/0/changes/0/value/messages/1' }]);
  });

  it('holds NUL, halves of surrogates and bytes that are no UTF-8: the text is cleaned and kept', async () => {
    const shop = await world.shop();
    const odd = JSON.stringify(textBody(shop, { text: 'a@b' })).replace('a@b', 'nul \\u0000 half \\ud800 end');
    const bytes = Buffer.concat([
      ...splitAt(JSON.stringify(textBody(shop, { text: 'x@y' })), '@').flatMap((part, i) =>
        i === 0 ? [Buffer.from(part), Buffer.from([0xc3, 0x28])] : [Buffer.from(part)],
      ),
    ]);
    const outcome = await handle(shop, [delivery(shop, odd), delivery(shop, bytes)]);
    expect(outcome.states).toEqual(['normalised', 'normalised']);
    expect(outcome.texts).toEqual(['nul \ufffd half \ufffd end', 'x\ufffd(y']);
    const [kept] = await world.db.ownerQuery<{ body: Buffer }>('SELECT body FROM deliveries WHERE body = $1', [bytes]);
    expect(kept?.body.equals(bytes)).toBe(true);
  });

  it('wears NUL in its own id and names one with NUL: nothing before or after it is lost', async () => {
    const shop = await world.shop();
    const reaction = { message_id: 'wamid.\u0000target', emoji: '👍' };
    const messages = [
      text({ id: 'wamid.\u0000odd', text: 'odd' }),
      { ...text(), type: 'reaction', reaction },
      text({ text: 'after' }),
    ];
    const statuses = [status('wamid.\u0000odd', 'read'), status('wamid.known', 'read')];
    const outcome = await handle(shop, [delivery(shop, body(shop, value(shop, { messages, statuses })))]);
    expect(outcome.texts).toContain('after');
    expect(outcome.events.length + outcome.letters.length).toBe(5);
  });

  it('has an id too long for any index: that part ends as a dead letter, the others take effect', async () => {
    const shop = await world.shop();
    // Incompressible, or Postgres would make it short.
    const long = Array.from({ length: 150 }, (_, i) => createHash('sha256').update(`${i}`).digest('hex')).join('');
    const statuses = [status('wamid.a', 'read'), status(long, 'read'), status('wamid.b', 'read')];
    const messages = [text({ text: 'beside it' })];
    const outcome = await handle(shop, [delivery(shop, body(shop, value(shop, { messages, statuses })))]);
    expect(outcome.texts).toEqual(['beside it']);
    expect(outcome.letters).toMatchObject([{ reason: 'failed', path: '/entry/0/changes/0/value/statuses/1' }]);
    expect(outcome.events.sort()).toEqual(['handled', 'parked', 'parked']);
  });
});

describe('a delivery', () => {
  it('on which normalising throws ends as a dead letter; the one before and the one after are handled', async () => {
    const shop = await world.shop();
    const sent = ['before', 'bomb', 'after'].map((one) => delivery(shop, textBody(shop, { text: one })));
    const { metaChannel } = await import('#channels');
    const bomb: typeof metaChannel = {
      ...metaChannel,
      normalise: (input) => {
        if (Buffer.from(input.body).includes('bomb')) throw new RangeError('Maximum call stack size exceeded');
        return metaChannel.normalise(input);
      },
    };
    const outcome = await handle(shop, sent, { channels: { meta: bomb } as never });
    expect(outcome.states).toEqual(['normalised', 'dead', 'normalised']);
    expect(outcome.letters).toEqual([{ reason: 'failed', path: '' }]);
    expect(outcome.texts).toEqual(['before', 'after']);
  });

  it('of 1,000 updates is handled whole, and its retry in pieces adds nothing', async () => {
    const shop = await world.shop();
    const updates = Array.from({ length: 1_000 }, (_, i) => status(`wamid.u${i}`, 'delivered'));
    const whole = delivery(shop, body(shop, value(shop, { statuses: updates })));
    const pieces = [updates.slice(0, 333), updates.slice(333)].map((statuses) =>
      delivery(shop, body(shop, value(shop, { statuses }))),
    );
    const outcome = await handle(shop, [whole, ...pieces]);
    expect(outcome.events).toEqual(Array.from({ length: 1_000 }, () => 'parked'));
    const rows = await world.db.ownerQuery(
      'SELECT state, event_count, duplicate_count, dead_count FROM inbox WHERE workspace_id = $1 ORDER BY position',
      [shop.workspaceId],
    );
    expect(rows).toEqual([
      { state: 'normalised', event_count: 1_000, duplicate_count: 0, dead_count: 0 },
      { state: 'normalised', event_count: 333, duplicate_count: 333, dead_count: 0 },
      { state: 'normalised', event_count: 667, duplicate_count: 667, dead_count: 0 },
    ]);
  });

  it('of half a million parts is one dead letter, however many come; a text of another shard is handled', async () => {
    const flooding = await world.shop();
    let quiet = await world.shop();
    while (shardOf(quiet) === shardOf(flooding)) quiet = await world.shop();
    const zeros = JSON.stringify({
      object: 'whatsapp_business_account',
      entry: Array.from({ length: 400_000 }, () => 0),
    });
    const flood = Array.from({ length: 4 }, () => delivery(flooding, zeros));
    await handle(flooding, [...flood, delivery(quiet, textBody(quiet, { text: 'quiet' }))]);
    expect((await outcomeOf(quiet)).texts).toEqual(['quiet']);
    const { states, letters } = await outcomeOf(flooding);
    expect(states).toEqual(['dead', 'dead', 'dead', 'dead']);
    expect(letters).toEqual(flood.map(() => ({ reason: 'unreadable', path: '' })));
  });

  it('of as many parts as are read has a letter for each, and never more than a thousand in a statement', async () => {
    const shop = await world.shop();
    const { storage } = world.db;
    const written: number[] = [];
    const counting = querying(storage, (tx) => (statement, values = [], name = '') => {
      if (name === 'inbox-insert-dead-letters') written.push((JSON.parse(String(values[1])) as []).length);
      return tx.query(statement, values, name);
    });
    const zeros = JSON.stringify({
      object: 'whatsapp_business_account',
      entry: Array.from({ length: 4_500 }, () => 0),
    });
    const sent = [
      ...Array.from({ length: 3 }, () => delivery(shop, zeros)),
      delivery(shop, textBody(shop, { text: 'after' })),
    ];
    const { letters, states, texts } = await handle(shop, sent, { storage: counting });
    expect([letters.length, texts]).toEqual([13_500, ['after']]);
    expect(states).toEqual(['dead', 'dead', 'dead', 'normalised']);
    expect(Math.max(...written)).toBe(1_000);
  });

  it('that lay too long goes to history without an answer; a fresh one is answered', async () => {
    const shop = await world.shop();
    const hourAgo = new Date(Date.now() - 3_600_000);
    const old = textBody(shop, { from: '34660000001', text: 'hola', at: Math.floor(hourAgo.getTime() / 1_000) });
    const fresh = textBody(shop, { from: '34660000002', text: 'hola' });
    await handle(shop, [delivery(shop, old, { receivedAt: hourAgo }), delivery(shop, fresh)], { parts: {} });
    const rows = await world.db.ownerQuery(
      `SELECT t.outcome LIKE '%stale%' AS "isStale",
         (SELECT count(*)::int FROM outbox o WHERE o.conversation_id = t.conversation_id) AS answers,
         (SELECT count(*)::int FROM messages m WHERE m.conversation_id = t.conversation_id AND direction = 'in') AS kept
       FROM turns t JOIN events e ON e.id = t.event_id WHERE t.workspace_id = $1 ORDER BY e.position`,
      [shop.workspaceId],
    );
    expect(rows).toEqual([
      { isStale: true, answers: 0, kept: 1 },
      { isStale: false, answers: 1, kept: 1 },
    ]);
  });
});

function splitAt(whole: string, mark: string): readonly [string, string] {
  const at = whole.indexOf(mark);
  return [whole.slice(0, at), whole.slice(at + mark.length)];
}
