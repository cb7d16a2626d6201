import { ProblemError } from './problem.ts';

/** A page's end as an opaque text: what comes after it begins there. */
export function encodeCursor(parts: readonly (string | number | null)[]): string {
  return Buffer.from(JSON.stringify(parts)).toString('base64url');
}

/** Throws a 400 for anything that we did not make. */
export function decodeCursor(text: string | undefined, length: number): (string | number | null)[] | null {
  if (text === undefined) return null;
  try {
    const parts: unknown = JSON.parse(Buffer.from(text, 'base64url').toString());
    const isOurs = Array.isArray(parts) && parts.length === length && parts.every(isPart);
    if (isOurs) return parts as (string | number | null)[];
  } catch (error) {
    throw new ProblemError('invalid-request', `the cursor is not one of ours: ${String(error)}`);
  }
  throw new ProblemError('invalid-request', 'the cursor is not one of ours');
}

function isPart(part: unknown): boolean {
  return part === null || typeof part === 'string' || typeof part === 'number';
}
