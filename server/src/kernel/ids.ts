import type { IdByName } from '@switchyard/contract';
import { uuidv7 } from 'uuidv7';

/** A new id: uuid version 7, monotonic within this process. */
export function newId<Name extends keyof IdByName>(_name: Name): IdByName[Name] {
  return uuidv7() as IdByName[Name];
}

/** The instant in a uuid of version 7, in milliseconds since 1970. */
export function millisOfId(id: string): number {
  return Number.parseInt(id.slice(0, 8) + id.slice(9, 13), 16);
}
