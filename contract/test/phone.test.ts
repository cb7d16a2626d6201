import { describe, expect, it } from 'vitest';
import { canonicalPhone, countryOfPhone, displayPhone, parsePhone } from '../src/phone.ts';

describe('canonicalPhone', () => {
  it.each([
    ['Mexico, old mobile form', '5215512345678', '+525512345678'],
    ['Mexico, today', '+525512345678', '+525512345678'],
    ['Argentina, with the mobile 9', '5491123456789', '+5491123456789'],
    ['Argentina, without it', '541123456789', '+5491123456789'],
    ['Brazil, without the ninth digit', '553188887777', '+5531988887777'],
    ['Brazil, with it', '5531988887777', '+5531988887777'],
    ['Brazil, a fixed line', '553133334444', '+553133334444'],
    ['United States', '15551230001', '+15551230001'],
    ['spaces and brackets', '+1 (555) 123-0001', '+15551230001'],
    ['two zeros', '0033612345678', '+33612345678'],
  ])('reads %s', (_name, text, expected) => {
    expect(canonicalPhone(text)).toBe(expected);
  });

  it.each([
    ['a LID', '123456789012345@lid'],
    ['a business-scoped id', 'US.13491208655302741918'],
    ['too many digits', '1234567890123456'],
    ['too few digits', '12345'],
    ['a national number', '0612345678'],
    ['nothing', ''],
  ])('is not taken in by %s', (_name, text) => {
    expect(canonicalPhone(text)).toBeUndefined();
  });

  it('gives one number for a wa_id and for the phone beside it', () => {
    for (const [waId, phone] of [
      ['5215587654321', '+525587654321'],
      ['541187654321', '+5491187654321'],
      ['551187654321', '+5511987654321'],
    ] as const)
      expect(canonicalPhone(waId)).toBe(canonicalPhone(phone));
  });
});

describe('parsePhone', () => {
  it.each([
    ['06 12 34 56 78', 'FR', '+33612345678'],
    ['+213 (0) 551 23 45 67', undefined, '+213551234567'],
    ['+52 1 55 1234 5678', undefined, '+525512345678'],
    ['11 15 2345-6789', 'AR', '+5491123456789'],
    ['٠٥٠١٢٣٤٥٦٧', 'SA', '+966501234567'],
    ['hello', 'FR', undefined],
    ['12', 'FR', undefined],
  ])('reads %s typed in %s', (text, country, expected) => {
    expect(parsePhone(text, country)).toBe(expected);
  });
});

it('shows a number for people and knows its country', () => {
  expect(displayPhone('+525512345678')).toBe('+52 55 1234 5678');
  expect(displayPhone('+999')).toBe('+999');
  expect(countryOfPhone('+212612345678')).toBe('MA');
  expect(countryOfPhone('+999123')).toBeUndefined();
});
