import { randomFillSync } from 'node:crypto';
import type { IdByName } from '@switchyard/contract';
import { V7Generator } from 'uuidv7';

/** Random bits are drawn for many ids at once: a draw costs about as much as the rest of an id. */
const drawn = new Uint32Array(1_024);
let used = drawn.length;

const generator = new V7Generator({
  nextUint32() {
    if (used === drawn.length) {
      randomFillSync(drawn);
      used = 0;
    }
    const value = drawn[used] ?? 0;
    used += 1;
    return value;
  },
});

/** A new id: uuid version 7, monotonic within this process. */
export function newId<Name extends keyof IdByName>(_name: Name): IdByName[Name] {
  return generator.generate().toString() as IdByName[Name];
}

/** The instant in a uuid of version 7, in milliseconds since 1970. */
export function millisOfId(id: string): number {
  return Number.parseInt(id.slice(0, 8) + id.slice(9, 13), 16);
}
