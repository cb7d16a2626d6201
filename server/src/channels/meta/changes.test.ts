import { describe, expect, test } from 'vitest';
import {
  change,
  contact,
  delivery,
  entry,
  message,
  normalise,
  only,
  phoneNumberId,
  sentAt,
  valueDelivery,
  wabaId,
} from './sample.ts';

const text = { type: 'text', text: { body: 'Hi' } };
const bound = [{ kind: 'phone_number_id', value: phoneNumberId }];
const boundToWaba = [{ kind: 'waba_id', value: wabaId }];

describe('statuses', () => {
  const status = (member: object) =>
    valueDelivery({ statuses: [{ id: 'wamid.S', timestamp: '1750000000', ...member }] });

  test.each(['sent', 'delivered', 'read', 'played', 'failed', 'deleted'])(
    '%s has the key of its message and name',
    (name) => {
      expect(only(status({ status: name, recipient_id: contact.wa_id }))).toEqual({
        kind: 'status',
        type: name,
        key: `wamid.S:${name}`,
        occurredAt: '2025-06-15T15:06:40.000Z',
        bindings: bound,
        path: '/entry/0/changes/0/value/statuses/0',
        providerMessageId: 'wamid.S',
        customer: [
          { kind: 'phone', value: '+4915112345678' },
          { kind: 'wa_id', value: '4915112345678' },
        ],
        errors: [],
      });
    },
  );

  test('one that is not known is unknown, under its own key', () => {
    expect(only(status({ status: 'warning' }))).toMatchObject({
      type: 'unknown',
      key: 'wamid.S:warning',
      customer: [],
    });
  });

  test('carries our attempt id, the price and the reason', () => {
    const event = only(
      status({
        status: 'failed',
        recipient_id: contact.wa_id,
        biz_opaque_callback_data: 'attempt-1',
        conversation: { id: 'c', origin: { type: 'marketing' } },
        pricing: { billable: false, pricing_model: 'PMP', type: 'regular', category: 'marketing' },
        errors: [
          { code: 131049, title: 'Withheld', message: 'Withheld', error_data: { details: 'Ecosystem' } },
          { code: 470, title: 'Old form' },
          null,
        ],
      }),
    );
    expect(event).toMatchObject({
      attemptId: 'attempt-1',
      pricing: { isBillable: false, model: 'PMP', type: 'regular', category: 'marketing' },
      errors: [
        { code: '131049', title: 'Withheld', detail: 'Ecosystem' },
        { code: '470', title: 'Old form' },
        { code: 'unknown', title: '' },
      ],
    });
  });

  test('names the participant of a group, and a user id where it stands for a phone', () => {
    const inGroup = { recipient_type: 'group', recipient_id: 'G1', recipient_participant_id: contact.wa_id };
    expect(only(status({ status: 'read', ...inGroup }))).toMatchObject({
      customer: [
        { kind: 'phone', value: '+4915112345678' },
        { kind: 'wa_id', value: '4915112345678' },
      ],
    });
    expect(only(status({ status: 'read', recipient_id: 'DE.333' }))).toMatchObject({
      customer: [{ kind: 'bsuid', value: 'DE.333' }],
    });
    expect(only(status({ status: 'read', recipient_user_id: 'DE.333' }))).toMatchObject({
      customer: [{ kind: 'bsuid', value: 'DE.333' }],
    });
  });

  test('without an id or a name is unreadable', () => {
    const reason = 'a status without an id or a name';
    expect(normalise(status({})).unreadable).toEqual([{ path: '/entry/0/changes/0/value/statuses/0', reason }]);
    expect(normalise(status({ id: null, status: 'sent' })).events).toEqual([]);
  });
});

describe('account fields', () => {
  test.each([
    [
      'message_template_status_update',
      'template',
      { event: 'PAUSED', message_template_id: 12345678901234, reason: null },
    ],
    ['message_template_quality_update', 'template', { previous_quality_score: 'GREEN', new_quality_score: 'RED' }],
    ['message_template_components_update', 'template', { message_template_id: 1 }],
    ['template_category_update', 'template', { previous_category: 'UTILITY', new_category: 'MARKETING' }],
    [
      'phone_number_quality_update',
      'quality',
      { display_phone_number: '1', event: 'FLAGGED', current_limit: 'TIER_1K' },
    ],
    ['business_capability_update', 'quality', { max_daily_conversations_per_business: 2000 }],
    ['phone_number_name_update', 'account', { decision: 'APPROVED' }],
    ['account_update', 'account', { event: 'ACCOUNT_VIOLATION', violation_info: { violation_type: 'ALCOHOL' } }],
    ['account_review_update', 'account', { decision: 'REJECTED' }],
    ['account_alerts', 'account', { entity_type: 'BUSINESS', alert_info: { alert_severity: 'WARNING' } }],
    ['security', 'account', { event: 'PIN_CHANGED' }],
    ['payment_configuration_update', 'account', { configuration_name: 'main' }],
    ['partner_solutions', 'account', { event: 'SOLUTION_CREATED' }],
    ['flows', 'account', { event: 'ENDPOINT_ERROR_RATE', errors: [{ error_type: 'TIMEOUT' }] }],
  ])('%s is one %s event of the business account', (field, type, value) => {
    const event = only(delivery(entry({ field, value })));
    expect(event).toMatchObject({
      kind: 'account',
      type,
      name: field,
      occurredAt: '2025-06-15T15:08:20.000Z',
      bindings: boundToWaba,
      path: '/entry/0/changes/0/value',
      facts: value,
    });
    expect(event.key).toMatch(new RegExp(`^${field}:${wabaId}:[0-9a-f]{64}$`));
  });

  test('the key is of the value and its time: the same redelivered or in another order, another once it is told anew', () => {
    const keyOf = (value: object, time: number) =>
      only(delivery({ id: wabaId, time, changes: [{ field: 'account_update', value }] })).key;
    const key = keyOf({ event: 'X', a: 1 }, sentAt);
    expect(keyOf({ a: 1, event: 'X' }, sentAt)).toBe(key);
    expect(keyOf({ event: 'X', a: 2 }, sentAt)).not.toBe(key);
    expect(keyOf({ event: 'X', a: 1 }, sentAt + 60)).not.toBe(key);
  });

  test('a value that says its own time is the same event at whatever time it is sent', () => {
    const value = { event: 'X', timestamp: 1750000000 };
    const keys = [0, 60].map(
      (late) => only(delivery({ id: wabaId, time: sentAt + late, changes: [{ field: 'account_update', value }] })).key,
    );
    expect(new Set(keys).size).toBe(1);
  });

  test('partner events belong to the WABA inside, not to the partner', () => {
    const value = { event: 'PARTNER_ADDED', waba_info: { waba_id: '555', owner_business_id: '1' } };
    expect(only(delivery(entry({ field: 'account_update', value }))).bindings).toEqual([
      { kind: 'waba_id', value: '555' },
    ]);
  });

  test('an id beyond 2^53 keeps its digits', () => {
    const body = `{"object":"whatsapp_business_account","entry":[{"id":12345678901234567890,"changes":[{"field":"account_update","value":{"event":"X","big":98765432109876543210}}]}]}`;
    expect(only(body)).toMatchObject({
      bindings: [{ kind: 'waba_id', value: '12345678901234567890' }],
      facts: { big: '98765432109876543210' },
    });
  });
});

describe('parts that are no message', () => {
  test('a preference is an opt event, one for each person', () => {
    const user_preferences = [
      { wa_id: contact.wa_id, category: 'marketing_messages', value: 'stop', timestamp: 1750000000 },
      { user_id: 'DE.333', category: 'marketing_messages', value: 'resume', timestamp: 1750000001 },
      { wa_id: contact.wa_id, category: 'marketing_messages', value: 'maybe', timestamp: 1750000002 },
    ];
    const { events } = normalise(valueDelivery({ contacts: [contact], user_preferences }, 'user_preferences'));
    expect(events).toMatchObject([
      {
        kind: 'account',
        type: 'opt',
        name: 'user_preferences',
        occurredAt: '2025-06-15T15:06:40.000Z',
        bindings: bound,
        opt: { topic: 'marketing_messages', choice: 'out', customer: [{ value: '+4915112345678' }, { kind: 'wa_id' }] },
      },
      { type: 'opt', opt: { choice: 'in', customer: [{ kind: 'bsuid', value: 'DE.333' }] } },
      { kind: 'unsupported', type: 'user_preferences' },
    ]);
    expect(new Set(events.map((event) => event.key)).size).toBe(3);
  });

  test.each([
    ['errors', 'messages', 'error', { code: 130429, title: 'Rate limit hit' }],
    [
      'state_sync',
      'smb_app_state_sync',
      'contact',
      { type: 'contact', action: 'remove', contact: { phone_number: '1' } },
    ],
    ['calls', 'calls', 'call', { id: 'wacid.1', event: 'connect', timestamp: '1750000000' }],
    ['statuses', 'calls', 'call', { id: 'wacid.1', status: 'RINGING', type: 'call' }],
    ['statuses', 'messages', 'call', { id: 'wacid.1', status: 'RINGING', type: 'call' }],
    ['groups', 'group_participants_update', 'account', { group_id: 'G1', type: 'group_participants_add' }],
  ])('each of %s under %s is a %s event', (list, field, type, item) => {
    const { events } = normalise(valueDelivery({ [list]: [item, { ...item, other: true }] }, field));
    expect(events).toMatchObject([
      { kind: 'account', type, facts: item, bindings: bound, path: `/entry/0/changes/0/value/${list}/0` },
      { kind: 'account', type, path: `/entry/0/changes/0/value/${list}/1` },
    ]);
    expect(events[0]?.key).not.toBe(events[1]?.key);
  });
});

describe('what is not known', () => {
  test('a field of tomorrow is one unsupported event', () => {
    const event = only(delivery(entry({ field: 'telepathy_update', value: { a: 1 } })));
    expect(event).toMatchObject({ kind: 'unsupported', type: 'telepathy_update', bindings: boundToWaba });
    expect(event.key).toMatch(new RegExp(`^telepathy_update:${wabaId}:[0-9a-f]{64}$`));
    expect(event.path).toBe('/entry/0/changes/0/value');
  });

  test('a list of tomorrow beside a known one is kept beside it', () => {
    const { events } = normalise(valueDelivery({ messages: [message(text)], thoughts: [{ id: 1 }] }));
    expect(events).toMatchObject([
      { kind: 'message', type: 'text' },
      { kind: 'unsupported', type: 'thoughts', path: '/entry/0/changes/0/value/thoughts' },
    ]);
  });

  test('another object is one unsupported event of the whole', () => {
    expect(only({ object: 'user', entry: [{ id: '1', changes: [] }] })).toMatchObject({
      kind: 'unsupported',
      type: 'user',
      path: '',
      bindings: [],
    });
  });

  test('an entry in which nothing is known is kept', () => {
    expect(only(delivery({ id: wabaId, time: sentAt, visions: [1] }))).toMatchObject({
      kind: 'unsupported',
      type: 'visions',
      path: '/entry/0',
    });
  });
});

describe('envelopes', () => {
  test('many entries, changes, messages and statuses, each on its own path', () => {
    const body = delivery(
      entry(
        change({ contacts: [contact], messages: [message({ ...text, id: 'a' }), message({ ...text, id: 'b' })] }),
        change({
          statuses: [
            { id: 'a', status: 'read' },
            { id: 'a', status: 'sent' },
          ],
        }),
      ),
      entry(change({ contacts: [contact], messages: [message({ ...text, id: 'c' })] })),
    );
    const { events } = normalise(body);
    expect(events.map((event) => event.key)).toEqual(['a', 'b', 'a:read', 'a:sent', 'c']);
    expect(events[4]?.path).toBe('/entry/1/changes/0/value/messages/0');
  });

  test('bad items do not harm their neighbours', () => {
    const messages = [null, 'x', message({ ...text, id: null }), [], message({ ...text, id: 'good' })];
    const { events, unreadable } = normalise(
      delivery(
        null as never,
        entry({ field: 'messages' }, { field: 'messages', value: 7 }, change({ contacts: [contact], messages })),
      ),
    );
    expect(events.map((event) => event.key)).toEqual(['good']);
    expect(unreadable.map((part) => part.path)).toEqual([
      '/entry/0',
      '/entry/1/changes/0',
      '/entry/1/changes/1',
      '/entry/1/changes/2/value/messages/0',
      '/entry/1/changes/2/value/messages/1',
      '/entry/1/changes/2/value/messages/2',
      '/entry/1/changes/2/value/messages/3',
    ]);
  });

  test('a field inside the value, a flat entry, no object, an outer list, only a value', () => {
    const inside = { event: 'PARTNER_APP_UNINSTALLED', field: 'account_update' };
    expect(only(delivery(entry({ value: inside })))).toMatchObject({ type: 'account', name: 'account_update' });
    const flat = { id: wabaId, field: 'account_update', value: { event: 'X' } };
    expect(only(delivery(flat))).toMatchObject({ type: 'account', name: 'account_update', path: '/entry/0/value' });
    const value = { messaging_product: 'whatsapp', contacts: [contact], messages: [message(text)] };
    expect(only({ entry: [{ id: wabaId, changes: [{ value }] }] })).toMatchObject({
      type: 'text',
      bindings: boundToWaba,
    });
    expect(only([delivery(entry(change({ contacts: [contact], messages: [message(text)] })))])).toMatchObject({
      type: 'text',
      path: '/0/entry/0/changes/0/value/messages/0',
    });
    expect(only(value)).toMatchObject({ type: 'text', path: '/messages/0', bindings: [] });
  });

  test.each([
    ['nothing', '', 'the body is empty'],
    ['a form', 'a=b', 'the body is not JSON'],
    ['a number', '7', 'expected an object'],
    ['null', 'null', 'expected an object'],
    ['an object of something else', '{"hello":1}', 'there is no entry'],
    ['an entry that is missing', '{"object":"whatsapp_business_account"}', 'there is no entry'],
  ])('%s is unreadable as a whole', (_name, body, reason) => {
    expect(normalise(body)).toEqual({ events: [], unreadable: [{ path: '', reason }] });
  });

  test('entries that are no list are unreadable; an empty list holds nothing', () => {
    expect(normalise({ object: 'whatsapp_business_account', entry: {} }).unreadable).toEqual([
      { path: '/entry', reason: 'expected a list' },
    ]);
    expect(normalise(delivery())).toEqual({ events: [], unreadable: [] });
  });
});
