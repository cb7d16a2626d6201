import { createHash, timingSafeEqual } from 'node:crypto';
import type { Challenge, VerifySecrets } from '../channel.ts';

/** Meta sends an integer of about ten digits; whoever sends more wants something else. */
export const maxChallengeLength = 256;
const hashedToken = /^sha256:([0-9a-f]{64})$/;

/**
 * The GET handshake (Meta, "Graph API webhooks: getting started"): the right verify token earns its challenge back, as it
 * came, to be answered as plain text. Tokens are compared by hash in constant time, every one of them.
 */
export function answerGraphChallenge(target: string, secrets: VerifySecrets): Challenge {
  const query = new URLSearchParams(target.slice(target.indexOf('?') + 1));
  const challenge = only(query, 'hub.challenge');
  const token = only(query, 'hub.verify_token');
  const isChallenge = target.includes('?') && only(query, 'hub.mode') === 'subscribe';
  if (!isChallenge || !challenge || token === undefined) return { kind: 'not-a-challenge' };
  if (challenge.length > maxChallengeLength) return { kind: 'not-a-challenge' };
  return isKnownToken(token, secrets.challenge) ? { kind: 'answer', text: challenge } : { kind: 'wrong-token' };
}

/** A parameter that comes twice is read differently by every reader, so it is not read at all. */
function only(query: URLSearchParams, name: string): string | undefined {
  const values = query.getAll(name);
  return values.length === 1 ? values[0] : undefined;
}

function isKnownToken(token: string, known: readonly string[]): boolean {
  const given = sha256(token);
  let matches = 0;
  for (const one of known) {
    // An empty verify token would let everybody in.
    if (one === '') continue;
    const hex = hashedToken.exec(one)?.[1];
    matches += Number(timingSafeEqual(given, hex === undefined ? sha256(one) : Buffer.from(hex, 'hex')));
  }
  return matches > 0;
}

function sha256(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
