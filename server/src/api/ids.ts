import { type IdByName, parseId } from '@switchyard/contract';
import { notFound, ProblemError } from './problem.ts';

/** An id in a path. One of a wrong shape is answered like a missing one. */
export function pathId<Name extends keyof IdByName>(name: Name, text: string): IdByName[Name] {
  const id = parseId(name, text);
  if (!id) throw notFound(name);
  return id;
}

/** An id to filter by; undefined where none is given. */
export function queryId<Name extends keyof IdByName>(name: Name, text: string | undefined): IdByName[Name] | undefined {
  if (text === undefined) return undefined;
  const id = parseId(name, text);
  if (id) return id;
  throw new ProblemError('invalid-request', `${name} is not the id of one`, {
    errors: [{ path: `/${name}`, message: 'is not an id of this kind' }],
  });
}
