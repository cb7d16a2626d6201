import type { Failure } from '@switchyard/contract';

/** A refusal for good: asking again as it is gives the same. */
export function failure(code: string, detail: string): Failure {
  return { code, detail, retry: { kind: 'never' }, isCertain: true };
}

/** Too many tries, or too many at once. */
export function slowDown(afterMs: number): Failure {
  return { ...failure('slow-down', 'too many tries; wait a little'), retry: { kind: 'later', afterMs } };
}
