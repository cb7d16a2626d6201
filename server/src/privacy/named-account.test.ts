import { expect, test } from 'vitest';
import { accountsNamedIn } from './named-account.ts';

const named = (body: unknown) => accountsNamedIn(Buffer.from(typeof body === 'string' ? body : JSON.stringify(body)));
const whatsApp = (value: object) => ({
  ...{ object: 'whatsapp_business_account', entry: [{ id: '900', changes: [{ field: 'messages', value }] }] },
});
const number = { kind: 'phone_number_id', key: '100' };
const business = { kind: 'waba_id', key: '900' };

test('the number of a WhatsApp body tells more than its business account', () => {
  expect(named(whatsApp({ metadata: { phone_number_id: '100' } }))).toEqual({
    ...{ telling: [number], all: [number, business] },
  });
  expect(named(whatsApp({ event: 'APPROVED' }))).toEqual({ telling: [business], all: [business] });
});

test('of an Instagram body only the entry’s id is an account’s', () => {
  const body = {
    object: 'instagram',
    entry: [{ id: '178', messaging: [{ sender: { id: '555' }, recipient: { id: '178' } }] }],
  };
  expect(named(body).all).toEqual([{ kind: 'instagram_id', key: '178' }]);
});

test('of what is no JSON of theirs the number is found by its letters', () => {
  expect(named('{"entry": {"metadata": {"phone_number_id" : "100"').telling).toEqual([number]);
  expect(named(`{"entry":${'['.repeat(20_000)}"100"${']'.repeat(20_000)}}`).all).toEqual([]);
  expect(named('From=100').all).toEqual([]);
});
