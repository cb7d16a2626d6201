import { fc, test as property } from '@fast-check/vitest';
import { describe, expect, test } from 'vitest';
import type { Normalised } from '../channel.ts';
import * as instagram from '../instagram/sample.ts';
import * as meta from '../meta/sample.ts';
import { maxParts } from '../reading/index.ts';

fc.configureGlobal({ seed: 20_260_117, numRuns: 200 });

/** A part of every sort that a list may hold, to be damaged. */
const metaItems = {
  messages: [
    { type: 'text', text: { body: 'Hi' }, context: { id: 'q', forwarded: true } },
    { type: 'image', image: { id: '1', caption: 'c' }, referral: { source_id: '1' } },
    {
      type: 'contacts',
      contacts: [{ name: { formatted_name: 'A' }, phones: [{ phone: '1' }], emails: [{ email: 'e' }] }],
    },
    { type: 'location', location: { latitude: 1, longitude: 2 } },
    { type: 'interactive', interactive: { type: 'list_reply', list_reply: { id: '1', title: 't' } } },
    { type: 'interactive', interactive: { type: 'nfm_reply', nfm_reply: { response_json: '{}' } } },
    { type: 'order', order: { product_items: [{ product_retailer_id: 's', quantity: 1, item_price: 2 }] } },
    { type: 'edit', edit: { original_message_id: 'o', message: { type: 'text', text: { body: 'x' } } } },
    { type: 'system', system: { type: 'user_changed_number', wa_id: '1' } },
    { type: 'unsupported', errors: [{ code: 1, title: 't', error_data: { details: 'd' } }] },
  ].map((member) => meta.message({ ...member, id: 'victim' })),
  statuses: [
    {
      id: 'victim',
      status: 'failed',
      timestamp: '1750000000',
      recipient_id: '4915112345678',
      errors: [{ code: 1, title: 't', error_data: { details: 'd' } }],
      pricing: { billable: true, category: 'c' },
      biz_opaque_callback_data: 'a',
    },
  ],
};
const instagramItems = [
  {
    message: {
      mid: 'victim',
      text: 't',
      attachments: [{ type: 'image', payload: { url: 'u' } }],
      reply_to: { mid: 'm' },
    },
  },
  { message: { mid: 'victim', text: 't', reply_to: { story: { id: '1', url: 'u' } }, quick_reply: { payload: 'p' } } },
  { message_edit: { mid: 'victim', text: 't', num_edit: 1 } },
  { reaction: { mid: 'victim', action: 'react', emoji: 'x' } },
  { postback: { mid: 'victim', title: 't', payload: 'p', referral: { ref: 'r' } } },
  { read: { mid: 'victim' } },
  { delivery: { mids: ['victim'] } },
  { referral: { ref: 'r', ads_context_data: { ad_title: 't' } } },
  { optin: { type: 'notification_messages' } },
].map(instagram.item);

const nasty = fc.oneof(
  fc.constantFrom<unknown>(
    null,
    true,
    0,
    -1,
    1e308,
    '',
    ' ',
    '\0',
    '\ud800',
    [],
    {},
    [[]],
    [null],
    { length: 3 },
    { toString: 1 },
  ),
  fc.string({ unit: 'binary' }),
  fc.jsonValue({ maxDepth: 3 }),
);

interface Damage {
  readonly at: number;
  readonly how: 'replace' | 'remove' | 'wrap';
  readonly by: unknown;
}
const damages = fc.array(
  fc.record({ at: fc.nat(), how: fc.constantFrom('replace', 'remove', 'wrap'), by: nasty }) as fc.Arbitrary<Damage>,
  { minLength: 1, maxLength: 4 },
);

/** Each place inside a value, as the object that holds it and its name there. */
function placesOf(holder: Record<string, unknown>): (readonly [Record<string, unknown>, string])[] {
  return Object.entries(holder).flatMap(([name, member]) => {
    const inside = typeof member === 'object' && member !== null ? placesOf(member as Record<string, unknown>) : [];
    return [[holder, name] as const, ...inside];
  });
}

function damaged(value: unknown, all: readonly Damage[]): unknown {
  const root: Record<string, unknown> = { root: structuredClone(value) };
  for (const { at, how, by } of all) {
    const places = placesOf(root);
    const [holder, name] = places[at % places.length] ?? [root, 'root'];
    if (how === 'remove') delete holder[name];
    else holder[name] = how === 'wrap' ? [holder[name]] : structuredClone(by);
  }
  return root.root;
}

/** What must hold of any answer: keys, places and clean text. */
function checkSound({ events, unreadable }: Normalised): void {
  for (const event of events) {
    expect(event.key).not.toBe('');
    expect(event.path === '' || event.path.startsWith('/')).toBe(true);
    expect(event.occurredAt === null || /^\d{4}-\d\d-\d\dT/.test(event.occurredAt)).toBe(true);
  }
  for (const part of unreadable) expect(part.reason).not.toBe('the reader failed on this part');
  const text = JSON.stringify({ events, unreadable });
  expect(text).not.toMatch(/\\u0000|\\ud[89a-f]/i);
}

describe('a damaged part', () => {
  property.prop([fc.constantFrom(...metaItems.messages), damages])(
    'of WhatsApp’s messages harms no other',
    (item, all) => {
      const good = (id: string) => meta.message({ id, type: 'text', text: { body: 'Hi' } });
      const list = [good('before'), damaged(item, all) ?? null, good('after')];
      const result = meta.normalise(meta.valueDelivery({ contacts: [meta.contact], messages: list }));
      const keys = result.events.map((event) => event.key);
      expect(keys[0]).toBe('before');
      expect(keys.at(-1)).toBe('after');
      expect(result.events.length + result.unreadable.length).toBe(3);
      checkSound(result);
    },
  );

  property.prop([fc.constantFrom(...metaItems.statuses), damages])(
    'of WhatsApp’s statuses harms no other',
    (item, all) => {
      const good = (id: string) => ({ id, status: 'sent', timestamp: '1750000000' });
      const statuses = [good('before'), damaged(item, all) ?? null, good('after')];
      const result = meta.normalise(meta.valueDelivery({ statuses }));
      const keys = result.events.map((event) => event.key);
      expect([keys[0], keys.at(-1)]).toEqual(['before:sent', 'after:sent']);
      expect(result.events.length + result.unreadable.length).toBe(3);
      checkSound(result);
    },
  );

  property.prop([fc.constantFrom(...instagramItems), damages])(
    'of Instagram’s messaging harms no other',
    (item, all) => {
      const good = (mid: string) => instagram.item({ message: { mid, text: 'Hi' } });
      const messaging = [good('before'), damaged(item, all) ?? null, good('after')];
      const result = instagram.normalise(instagram.delivery(instagram.entry({ messaging })));
      const keys = result.events.map((event) => event.key);
      expect([keys[0], keys.at(-1)]).toEqual(['before', 'after']);
      expect(result.events.length + result.unreadable.length).toBeGreaterThanOrEqual(3);
      checkSound(result);
    },
  );

  const whole = meta.delivery(
    meta.entry(
      meta.change({ contacts: [meta.contact], messages: metaItems.messages, statuses: metaItems.statuses }),
      meta.change(
        { history: [{ metadata: { phase: 0 }, threads: [{ id: '1', messages: metaItems.messages }] }] },
        'history',
      ),
      meta.change(
        { user_preferences: [{ wa_id: '1', value: 'stop' }], calls: [{ id: '1' }], groups: [{ id: '1' }] },
        'x',
      ),
      { field: 'account_update', value: { event: 'X', waba_info: { waba_id: '1' } } },
    ),
  );
  property.prop([damages])('anywhere in a delivery of WhatsApp never throws', (all) => {
    checkSound(meta.normalise(damaged(whole, all) ?? null));
  });

  const direct = instagram.delivery(
    instagram.entry({
      messaging: instagramItems,
      standby: instagramItems,
      changes: [
        { field: 'comments', value: { id: '1', from: { id: '2' }, media: { id: '3' } } },
        { field: 'mentions', value: { media_id: '1' } },
      ],
    }),
  );
  property.prop([damages])('anywhere in a delivery of Instagram never throws', (all) => {
    checkSound(instagram.normalise(damaged(direct, all) ?? null));
  });

  property.prop([fc.uint8Array(), fc.jsonValue({ maxDepth: 6 })])('is any bytes and any JSON at all', (bytes, json) => {
    for (const channel of [meta, instagram]) {
      checkSound(channel.normalise(bytes));
      checkSound(channel.normalise(json));
      checkSound(
        channel.normalise({ entry: [{ id: '1', changes: [{ field: 'messages', value: json }], messaging: [json] }] }),
      );
    }
  });
});

describe('the corpus', () => {
  test('JSON 100,000 deep, in the middle of a delivery', () => {
    const deep = JSON.stringify(meta.messageDelivery({ type: 'text', text: { body: 'DEEP' } })).replace(
      '"DEEP"',
      '['.repeat(100_000) + ']'.repeat(100_000),
    );
    for (const channel of [meta, instagram]) {
      expect(channel.normalise(deep)).toEqual({
        events: [],
        unreadable: [{ path: '', reason: 'JSON is nested deeper than 128' }],
      });
    }
  });

  test('an edit inside an edit inside an edit', () => {
    let inner: object = { type: 'text', text: { body: 'x' } };
    for (let depth = 0; depth < 20; depth++)
      inner = { type: 'edit', edit: { original_message_id: 'o', message: inner } };
    expect(meta.only(meta.messageDelivery(inner))).toMatchObject({ content: { type: 'edit', content: null } });
  });

  test('NUL, lone surrogates and invalid UTF-8 are cleaned in the event', () => {
    const body = JSON.stringify(meta.messageDelivery({ type: 'text', text: { body: 'BODY' } }));
    const [head = '', tail = ''] = body.split('BODY');
    const bytes = Buffer.concat([
      Buffer.from(`${head}a\\u0000b\\udc00c`),
      Buffer.from([0xff, 0xfe]),
      Buffer.from(tail),
    ]);
    expect(meta.only(bytes)).toMatchObject({ content: { type: 'text', text: 'a\uFFFDb\uFFFDc\uFFFD\uFFFD' } });
  });

  test('__proto__ is no member of anything', () => {
    const body = JSON.stringify(meta.messageDelivery({ type: 'text', text: { body: 'Hi' } })).replace(
      '"type":"text"',
      '"__proto__":{"group_id":"G"},"type":"text"',
    );
    expect(meta.only(body)).not.toHaveProperty('groupId');
    expect(({} as Record<string, unknown>).group_id).toBeUndefined();
  });

  test('a thousand updates in one delivery, one of them bad, are all there', () => {
    const messages = Array.from({ length: 1_000 }, (_none, index) =>
      index === 500 ? 7 : meta.message({ id: `wamid.${index}`, type: 'text', text: { body: 'Hi' } }),
    );
    const { events, unreadable } = meta.normalise(meta.valueDelivery({ contacts: [meta.contact], messages }));
    expect([events.length, unreadable.length]).toEqual([999, 1]);
  });

  test('half a million parts are one that cannot be read, wherever they lie', () => {
    const many = Array.from({ length: 300_000 }, () => 0);
    const fields = Object.fromEntries(many.slice(0, maxParts + 1).map((_none, index) => [`list_${index}`, []]));
    const entry = [{ id: 'E', changes: many.slice(0, maxParts / 2) }];
    for (const body of [
      { object: 'whatsapp_business_account', entry: many },
      { object: 'whatsapp_business_account', entry: [...entry, ...entry, ...entry] },
      meta.valueDelivery({ messages: [], ...fields }),
      many,
    ]) {
      expect(meta.normalise(body)).toEqual({
        events: [],
        unreadable: [{ path: '', reason: expect.stringContaining('too many parts') }],
      });
    }
  });

  test('tens of thousands of contacts and messages take no time that grows with their product', () => {
    const ids = Array.from({ length: 30_000 }, (_none, index) => String(4_915_100_000_000 + index));
    const contacts = ids.map((wa_id) => ({ wa_id, profile: { name: wa_id } }));
    const authors = ids.toReversed().slice(0, maxParts);
    const messages = authors.map((from) => ({ id: `w${from}`, from, type: 'text', text: { body: '' } }));
    const startedMs = performance.now();
    const { events } = meta.normalise(meta.valueDelivery({ contacts, messages }));
    // The product would be 300 million comparisons: tens of seconds.
    expect(performance.now() - startedMs).toBeLessThan(5_000);
    expect(events).toHaveLength(maxParts);
    expect(events.every((event) => event.kind === 'message' && `w${event.profileName}` === event.key)).toBe(true);
  });
});
