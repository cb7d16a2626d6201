import { type AccountId, toPublicId } from '@switchyard/contract';
import { describe, expect, it } from 'vitest';
import type { AccountSummary } from '#accounts';
import { CommandFailed, WrongUse } from './failures.ts';
import { chooseAccount } from './which-account.ts';

const account = (digit: number, name: string, phoneNumber: string | null = null) =>
  ({ id: `0198000${digit}-0000-7000-8000-000000000000` as AccountId, name, phoneNumber }) as AccountSummary;

const desk = account(1, 'Front desk', '+34600111222');
const back = account(2, 'Back office');
const twin = account(3, 'back OFFICE');
const numbered = account(4, '+34600111333', '+34600111333');
const named = account(5, '+34600111222 old', '+34600111444');
const all = [desk, back, twin, numbered, named];

describe('an account', () => {
  it.each([
    [desk.id, desk],
    [toPublicId('account', desk.id), desk],
    ['Front desk', desk],
    ['front DESK', desk],
    ['+34 600 111 222', desk],
    ['Back office', back],
    ['back OFFICE', twin],
    ['+34600111333', numbered],
  ])('is meant by %s', (text, meant) => {
    expect(chooseAccount(all, text)).toBe(meant);
  });

  it('is not guessed at: several that fit are named', () => {
    const choose = () => chooseAccount(all, 'BACK office');
    expect(choose).toThrow(WrongUse);
    expect(choose).toThrow(toPublicId('account', back.id));
    expect(choose).toThrow(toPublicId('account', twin.id));
    expect(() => chooseAccount([desk, account(6, 'Front desk')], 'Front desk')).toThrow(WrongUse);
  });

  it('that is not there is told with those that are', () => {
    for (const text of ['Nowhere', '+34699999999', '', toPublicId('account', account(9, 'x').id)]) {
      expect(() => chooseAccount([desk], text)).toThrow(CommandFailed);
      expect(() => chooseAccount([desk], text)).toThrow('Front desk, +34600111222');
    }
    expect(() => chooseAccount([], 'Nowhere')).toThrow('there is none');
  });
});
