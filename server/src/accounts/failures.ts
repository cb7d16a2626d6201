import type { Failure } from '@switchyard/contract';

/** A refusal of this room: the same act would be refused again. */
export function failureOf(code: string, detail: string): Failure {
  return { code, detail, retry: { kind: 'never' }, isCertain: true };
}

/** The same words whether the holder is in this workspace or in another: they must not tell. */
export function routeTaken(kind: string): Failure {
  return failureOf('route_taken', `This ${kind} is already connected here.`);
}

export const accountMissing = failureOf('account_not_found', 'There is no such account.');

/** Thrown to roll a transaction back; the door turns it into the refusal that it carries. */
export class Refusal extends Error {
  override readonly name = 'Refusal';
  readonly failure: Failure;

  constructor(failure: Failure) {
    super(failure.code);
    this.failure = failure;
  }
}
