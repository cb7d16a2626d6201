/** Meta's GET verification of a callback address (providers.md 1.1). */
import type { World } from '../world/world.ts';

export interface Handshake {
  readonly isVerified: boolean;
  readonly status: number | null;
  readonly challenge: string;
  readonly body: string;
  readonly reason: string;
}

export async function shakeHands(world: World, callbackUrl: string, verifyToken: string): Promise<Handshake> {
  const challenge = String(1_000_000_000 + Math.floor(world.random.next() * 1_000_000_000));
  const url = new URL(callbackUrl);
  url.searchParams.append('hub.mode', 'subscribe');
  url.searchParams.append('hub.challenge', challenge);
  url.searchParams.append('hub.verify_token', verifyToken);
  const answer = await world.client.get(url.toString());
  const isVerified = answer.status === 200 && answer.body.trim() === challenge;
  return {
    isVerified,
    status: answer.status,
    challenge,
    body: answer.body,
    reason: isVerified ? '' : reasonOf(answer),
  };
}

function reasonOf(answer: { status: number | null; error: string | null }): string {
  if (answer.error) return answer.error;
  return answer.status === 200 ? 'the challenge was not echoed' : `answered ${answer.status}`;
}
