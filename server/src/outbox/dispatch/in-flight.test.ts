import { expect, test } from 'vitest';
import { newId } from '#kernel';
import { InFlight } from './in-flight.ts';

const message = { workspaceId: newId('workspace'), accountId: newId('account'), outboundId: newId('outbound') };
const first = { ...message, leaseEpoch: '1' };
const again = { ...message, leaseEpoch: '2' };

test('a message that is claimed again while it is still held is let go as often as it was held', () => {
  const inFlight = new InFlight();
  inFlight.hold(first);
  inFlight.hold(again);
  expect(inFlight.accounts.get(message.accountId)).toBe(2);
  inFlight.letGo(first);
  expect([inFlight.size, inFlight.workspaces.get(message.workspaceId)]).toEqual([1, 1]);
  inFlight.letGo(again);
  expect([inFlight.size, inFlight.accounts, inFlight.workspaces]).toEqual([0, new Map(), new Map()]);
});

test('what is let go twice counts once', () => {
  const inFlight = new InFlight();
  inFlight.hold(first);
  inFlight.hold(again);
  inFlight.letGo(first);
  inFlight.letGo(first);
  expect([inFlight.size, inFlight.accounts.get(message.accountId)]).toEqual([1, 1]);
});
