import type { Failure } from '@switchyard/contract';
import { done, type Result, refused } from '#kernel';
import type { Passwords } from '#storage';
import { failure } from './failures.ts';

export const minPasswordLength = 10;

/** The hash to store. Refuses `weak-password`, `too_long`, and `busy` when too many hashes wait. */
export async function hashNewPassword(passwords: Passwords, password: string): Promise<Result<string, Failure>> {
  if (password.length < minPasswordLength)
    return refused(failure('weak-password', `a password has at least ${minPasswordLength} characters`));
  const hash = await passwords.hash(password);
  return hash.ok
    ? done(hash.value)
    : refused(failure(hash.refusal, `the password could not be hashed: ${hash.refusal}`));
}
