import { describe, expect, test } from 'vitest';
import { identitiesOfJids, parseJid } from './index.ts';

describe('an address', () => {
  test.each([
    ['15551230000@s.whatsapp.net', 'phone', '15551230000'],
    ['15551230000@c.us', 'phone', '15551230000'],
    ['15551230000:12@s.whatsapp.net', 'phone', '15551230000'],
    ['15551230000_1:12@s.whatsapp.net', 'phone', '15551230000'],
    ['76200000000001:3@lid', 'lid', '76200000000001'],
    ['120363000000000001@g.us', 'group', '120363000000000001'],
    ['15551230000-1600000000@g.us', 'group', '15551230000-1600000000'],
    ['status@broadcast', 'status', 'status'],
    ['1600000000@broadcast', 'broadcast', '1600000000'],
    ['120363000000000009@newsletter', 'newsletter', '120363000000000009'],
    ['13135550002@bot', 'unknown', '13135550002'],
    ['x@constructor', 'unknown', 'x'],
    ['no-server', 'unknown', 'no-server'],
  ])('%s is of kind %s', (text, kind, user) => {
    expect(parseJid(text)).toMatchObject({ kind, user });
  });

  test('that is empty is absent', () => {
    expect(parseJid('')).toBeUndefined();
    expect(parseJid(undefined)).toBeUndefined();
  });
});

describe('identities', () => {
  test('put the phone first and keep the LID, however they were ordered', () => {
    expect(identitiesOfJids(['76200000000001@lid', undefined, '15551230000:4@s.whatsapp.net'])).toEqual([
      { kind: 'phone', value: '+15551230000' },
      { kind: 'wa_id', value: '15551230000' },
      { kind: 'lid', value: '76200000000001@lid' },
    ]);
  });

  test('never make a phone of a LID', () => {
    expect(identitiesOfJids(['76200000000001@lid'])).toEqual([{ kind: 'lid', value: '76200000000001@lid' }]);
  });

  test('name nobody for groups, channels, status and nonsense', () => {
    const texts = ['120363000000000001@g.us', 'status@broadcast', '1@newsletter', '', 'x'];
    expect(identitiesOfJids(texts)).toEqual([]);
  });

  test('keep what is no number as it is', () => {
    expect(identitiesOfJids(['hidden@s.whatsapp.net'])).toEqual([{ kind: 'wa_id', value: 'hidden' }]);
  });

  test('name the same person once', () => {
    expect(identitiesOfJids(['15551230000@s.whatsapp.net', '15551230000@c.us'])).toHaveLength(2);
  });
});
