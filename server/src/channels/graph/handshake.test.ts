import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { answerGraphChallenge, maxChallengeLength } from './index.ts';

const path = '/webhooks/meta/whatsapp/token';
const answer = (query: string, ...challenge: string[]) =>
  answerGraphChallenge(`${path}?${query}`, {
    signing: [],
    challenge,
    publicUrl: 'https://switchyard.example',
    hasRouteToken: true,
    requiresSecret: false,
  });
const hashed = (token: string) => `sha256:${createHash('sha256').update(token).digest('hex')}`;
const right = 'hub.mode=subscribe&hub.challenge=1158201444&hub.verify_token=meadow';

describe('answerGraphChallenge', () => {
  test('gives the challenge back as it came, for a plain or a hashed token among several', () => {
    const expected = { kind: 'answer', text: '1158201444' };
    expect(answer(right, 'meadow')).toEqual(expected);
    expect(answer(right, hashed('meadow'))).toEqual(expected);
    expect(answer(right, 'other', hashed('another'), 'meadow')).toEqual(expected);
    expect(answer('hub.verify_token=a%20b%2Bc&hub.challenge=x%3Cb%3E&hub.mode=subscribe', 'a b+c')).toEqual({
      kind: 'answer',
      text: 'x<b>',
    });
  });

  test('refuses a wrong token, a hash shown as a token, and any token where none is known', () => {
    expect(answer(right, 'meado', 'meadow2', 'MEADOW', '')).toEqual({ kind: 'wrong-token' });
    expect(answer(right)).toEqual({ kind: 'wrong-token' });
    const shown = `hub.mode=subscribe&hub.challenge=1&hub.verify_token=${encodeURIComponent(hashed('meadow'))}`;
    expect(answer(shown, hashed('meadow'))).toEqual({ kind: 'wrong-token' });
    expect(answer('hub.mode=subscribe&hub.challenge=1&hub.verify_token=', '')).toEqual({ kind: 'wrong-token' });
  });

  test.each([
    '',
    'hub.mode=subscribe',
    'hub.mode=unsubscribe&hub.challenge=1&hub.verify_token=meadow',
    'hub.challenge=1&hub.verify_token=meadow',
    'hub.mode=subscribe&hub.verify_token=meadow',
    'hub.mode=subscribe&hub.challenge=&hub.verify_token=meadow',
    'hub.mode=subscribe&hub.challenge=1',
    'hub.mode=subscribe&hub.challenge=1&hub.challenge=2&hub.verify_token=meadow',
    'hub.mode=subscribe&hub.challenge=1&hub.verify_token=meadow&hub.verify_token=x',
    `hub.mode=subscribe&hub.verify_token=meadow&hub.challenge=${'1'.repeat(maxChallengeLength + 1)}`,
  ])('takes %j for no challenge', (query) => {
    expect(answer(query, 'meadow')).toEqual({ kind: 'not-a-challenge' });
  });

  test('takes a target without a query for no challenge', () => {
    const secrets = { signing: [], challenge: ['x'], publicUrl: '', hasRouteToken: true, requiresSecret: false };
    expect(answerGraphChallenge(path, secrets)).toEqual({ kind: 'not-a-challenge' });
    expect(answerGraphChallenge('hub.mode=subscribe&hub.challenge=1&hub.verify_token=x', secrets)).toEqual({
      kind: 'not-a-challenge',
    });
  });
});
