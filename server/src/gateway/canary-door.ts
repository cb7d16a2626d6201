/**
 * Our own test events come in like any webhook, and are known by a word that only this process can have made: whoever
 * sends another is sent away, so that nobody from outside has an event marked as a test, or a test taken for an event.
 */
import { randomBytes } from 'node:crypto';
import type { DeliveryId } from '@switchyard/contract';

export const canaryHeader = 'x-switchyard-canary';

export interface ExpectedCanary {
  /** The delivery gets this id. */
  readonly id: DeliveryId;
  /** Called as it passes. */
  readonly passed: (hop: 'routed' | 'verified') => void;
}

export interface CanaryDoor {
  /** Where this process takes webhooks, over loopback; null: it takes none now. */
  readonly url: string | null;
  /** Once it listens; null when it does so no more. */
  listensAt(url: string | null): void;
  /** Gives the word for the header. */
  expect(canary: ExpectedCanary): string;
  forget(word: string): void;
  /** null: the header is none of ours. */
  find(header: unknown): ExpectedCanary | null;
}

export function createCanaryDoor(): CanaryDoor {
  const expected = new Map<string, ExpectedCanary>();
  let url: string | null = null;
  return {
    get url() {
      return url;
    },
    listensAt(next) {
      url = next;
    },
    expect(canary) {
      const word = randomBytes(32).toString('base64url');
      expected.set(word, canary);
      return word;
    },
    forget: (word) => void expected.delete(word),
    find: (header) => (typeof header === 'string' ? (expected.get(header) ?? null) : null),
  };
}
