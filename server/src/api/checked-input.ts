/** What Postgres cannot hold is refused at the door: NUL, and half of a surrogate pair. */
import type { FastifyRequest } from 'fastify';
import { ProblemError } from './problem.ts';

/** For `preValidation`. Walks without recursion: a body of a megabyte may be nested very deep. */
export async function refuseUnstorable(request: FastifyRequest): Promise<void> {
  const waiting: { readonly value: unknown; readonly path: string }[] = [
    { value: request.body, path: '' },
    { value: request.query, path: '' },
    { value: request.params, path: '' },
  ];
  for (let next = waiting.pop(); next; next = waiting.pop()) {
    const { value, path } = next;
    if (typeof value === 'string' && !isStorable(value)) throw unstorable(path);
    if (typeof value !== 'object' || value === null) continue;
    for (const [key, inner] of Object.entries(value)) {
      if (!isStorable(key)) throw unstorable(path);
      waiting.push({ value: inner, path: path.length < 200 ? `${path}/${key}` : path });
    }
  }
}

function isStorable(text: string): boolean {
  return !text.includes('\u0000') && text.isWellFormed();
}

function unstorable(path: string): ProblemError {
  const message = 'holds NUL or half of a surrogate pair';
  return new ProblemError('invalid-request', 'the request holds text that is none', {
    errors: [{ path: path || '/', message }],
  });
}
