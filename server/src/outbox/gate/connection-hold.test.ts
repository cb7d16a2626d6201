import { type Provider, providers } from '@switchyard/contract';
import { describe, expect, it } from 'vitest';
import { type ConnectionFacts, connectionHold, judgeConnection } from './connection-hold.ts';

const facts = (status: ConnectionFacts['status'], changes: Partial<ConnectionFacts> = {}): ConnectionFacts => ({
  ...{ status, reason: null, hasMoved: true },
  ...changes,
});
const judge = (provider: Provider, of: ConnectionFacts, ageMs = 0) => judgeConnection({ provider, ageMs }, of);

describe('a message to send', () => {
  it.each([
    ['connected', ['meta', 'instagram', 'twilio', 'evolution', 'webjs']],
    ['connecting', ['meta', 'instagram', 'twilio']],
    ['disconnected', []],
    ['error', []],
  ] as const)('on an account that is %s passes for %j only', (status, passing) => {
    const passes = providers.filter((provider) => judge(provider, facts(status)).kind === 'pass');
    expect(passes.toSorted()).toEqual([...passing].toSorted());
  });

  it('passes where nobody has ever connected or disconnected: the provider will say', () => {
    for (const provider of providers) {
      expect(judge(provider, facts('disconnected', { hasMoved: false }))).toEqual({ kind: 'pass' });
    }
  });

  it('that is held says the state and why, and is looked at again within bounds until it is too old', () => {
    const { maxAgeMs, leastWaitMs, mostWaitMs } = connectionHold;
    const heldAt = (ageMs: number) => judge('webjs', facts('disconnected', { reason: 'logged out' }), ageMs);
    expect(heldAt(0)).toMatchObject({
      waitMs: leastWaitMs,
      reason: {
        code: 'AccountNotConnected',
        detail: 'The account is disconnected: logged out.',
        state: 'disconnected',
      },
    });
    expect(heldAt(60_000)).toMatchObject({ waitMs: 30_000 });
    expect(heldAt(maxAgeMs / 2)).toMatchObject({ waitMs: mostWaitMs });
    expect(heldAt(maxAgeMs - 1_000)).toMatchObject({ kind: 'hold', waitMs: 1_000 });
    expect(heldAt(maxAgeMs)).toMatchObject({ kind: 'expired', failure: { retry: { kind: 'never' } } });
  });
});
