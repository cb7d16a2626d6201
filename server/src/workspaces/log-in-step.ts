/**
 * The token between password and code. It names its person, and what is kept of it is a hash together with that of the
 * password: under another password nothing is found by it, so that a change ends every half-finished log-in at once.
 */
import { type PersonId, parseId, toPublicId } from '@switchyard/contract';
import { hashToken, newToken } from '#storage';

export function newStepToken(personId: PersonId): string {
  return `${toPublicId('person', personId)}.${newToken()}`;
}

/** As whoever shows it says. */
export function personOfStep(stepToken: string): PersonId | undefined {
  return parseId('person', stepToken.split('.')[0] ?? '');
}

export function hashOfStep(stepToken: string, passwordHash: string | null): string {
  return hashToken(`${stepToken} ${passwordHash ?? ''}`);
}
