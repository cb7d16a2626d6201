import { parseCursor } from '#kernel';
import { ProblemError } from './problem.ts';

const uuid = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
/** As Postgres writes a timestamptz. */
const instant = /^\d{4,6}-\d\d-\d\d \d\d:\d\d:\d\d(?:\.\d{1,6})?[+-]\d\d(?::\d\d)?(?: BC)?$/;

const forms = {
  uuid: (part: unknown) => typeof part === 'string' && uuid.test(part),
  instant: (part: unknown) => part === null || (typeof part === 'string' && instant.test(part)),
  text: (part: unknown) => typeof part === 'string' && part.length <= 200 && !part.includes('\u0000'),
  integer: (part: unknown) => Number.isInteger(part) && Math.abs(Number(part)) < 2 ** 31,
} as const;

/** A cursor is ours or the request is wrong: beginning again in silence would make a client read for ever. */
export function checkCursor(
  cursor: string | undefined,
  parts: readonly (keyof typeof forms)[],
): readonly (string | number | null)[] | undefined {
  if (cursor === undefined) return undefined;
  const key = parseCursor(cursor, parts.length);
  if (key && parts.every((form, index) => forms[form](key[index]))) return key;
  throw new ProblemError('invalid-request', 'the cursor is none of this list', {
    errors: [{ path: '/cursor', message: 'is not a cursor that this list gave' }],
  });
}
