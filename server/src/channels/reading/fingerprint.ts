import { createHash } from 'node:crypto';
import type { JsonValue } from './json.ts';
import { isArray, isObject } from './values.ts';

/** SHA-256 in hex of a value, the same whatever the order of members: what identifies a part that has no id. */
export function fingerprint(value: JsonValue | undefined): string {
  return createHash('sha256')
    .update(canonical(value ?? null))
    .digest('hex');
}

function canonical(value: JsonValue): string {
  if (isArray(value)) return `[${value.map(canonical).join(',')}]`;
  if (!isObject(value)) return JSON.stringify(value);
  const members = Object.keys(value)
    .sort()
    .map((name) => `${JSON.stringify(name)}:${canonical(value[name] ?? null)}`);
  return `{${members.join(',')}}`;
}
