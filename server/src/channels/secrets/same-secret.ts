import { createHash, timingSafeEqual } from 'node:crypto';

/**
 * Equality in a time that tells nothing of either text, whatever their lengths: both are hashed first, because
 * `timingSafeEqual` throws on unequal lengths. An empty text equals nothing, so that a secret that was never set
 * lets nobody in.
 */
export function isSameSecret(presented: string, held: string): boolean {
  const isEqual = timingSafeEqual(digest(presented), digest(held));
  return isEqual && held !== '';
}

/** True if any of the list is the one. Tries them all: the time does not tell which one it was. */
export function isAnySecret(presented: string, held: readonly string[]): boolean {
  return held.reduce((found, one) => isSameSecret(presented, one) || found, false);
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
