import type { WorkspaceId } from '@switchyard/contract';
import { expect, test } from 'vitest';
import { createTokenUses, tokenUseLimits } from './token-uses.ts';

const shop = 'a shop' as WorkspaceId;
const at = (ms: number) => new Date(1_700_000_000_000 + ms);
const minute = tokenUseLimits.writeEveryMs;

test('a token that is used all the time is written once a minute, with its newest use', () => {
  const uses = createTokenUses();
  const written: number[] = [];
  for (let ms = 0; ms < 10 * minute; ms += 1_000) {
    uses.note(shop, 'hash', at(ms));
    if (ms % 5_000 !== 0) continue;
    const due = uses.takeDue(at(ms)).get(shop)?.get('hash');
    if (due) written.push(due.getTime() - at(0).getTime());
  }
  expect(written).toEqual(Array.from({ length: 10 }, (_, index) => index * minute));
});

test('a use between two writes is not lost: it waits for the next', () => {
  const uses = createTokenUses();
  uses.note(shop, 'hash', at(0));
  uses.takeDue(at(0));
  uses.note(shop, 'hash', at(1_000));
  expect(uses.takeDue(at(2_000)).size).toBe(0);
  expect(uses.takeDue(at(minute)).get(shop)).toEqual(new Map([['hash', at(1_000)]]));
  expect(uses.takeDue(at(2 * minute)).size).toBe(0);
});

test('the end of the process takes what is left', () => {
  const uses = createTokenUses();
  uses.note(shop, 'hash', at(0));
  uses.takeDue(at(0));
  uses.note(shop, 'hash', at(1_000));
  expect(uses.takeAll(at(2_000)).get(shop)).toEqual(new Map([['hash', at(1_000)]]));
});

test('what could not be written is due at once, unless a newer use came', () => {
  const uses = createTokenUses();
  uses.note(shop, 'one', at(0));
  uses.note(shop, 'two', at(0));
  const taken = uses.takeDue(at(0));
  uses.note(shop, 'two', at(500));
  uses.putBack(taken);
  expect(uses.takeDue(at(1_000)).get(shop)).toEqual(
    new Map([
      ['two', at(500)],
      ['one', at(0)],
    ]),
  );
});
