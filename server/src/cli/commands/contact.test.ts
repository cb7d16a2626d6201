import { expect, it } from 'vitest';
import { newId } from '#kernel';
import type { Erasure } from '#privacy';
import { describeErasure } from './contact.ts';

const hidden: Erasure = {
  ...{ id: newId('erasure'), contactId: newId('contact'), requestedBy: 'cli', requestedAt: new Date() },
  ...{ phase: 'messages', counts: { messages: 2 }, finishedAt: null, failure: null, failedAt: null },
};
const through: Erasure = { ...hidden, phase: 'done', finishedAt: new Date() };

it.each([
  ['that it is through', through, 'done', /^Erased\. Receipt era_.*2 messages\.$/],
  ['that another process has brought it to its end meanwhile', through, 'held', /^Erased\./],
  ['who holds it', hidden, 'held', /^Hidden; another process is removing the rest\. Receipt/],
  ['that it stands still', hidden, 'failed', /^Hidden; removing the rest failed .* tried again/],
  ['what it waits for', hidden, 'sending', /^Hidden; a message to them is still on its way out/],
] as const)('of an erasure says %s', (_what, erasure, end, words) => {
  expect(describeErasure(erasure, end)).toMatch(words);
});
