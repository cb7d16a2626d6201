import { isArray, isObject, type JsonValue } from '../reading/index.ts';

/** Hashes are 32 bytes; what is longer is not one. */
const maxBytes = 64;

/** Bytes as base64: they come so, or as `{"0":194,…}`, `{type:"Buffer",data:[…]}` or a list. */
export function base64Of(value: JsonValue | undefined): string | undefined {
  if (typeof value === 'string') return value || undefined;
  const list = isObject(value) ? (value.data ?? Object.values(value)) : value;
  if (!isArray(list) || list.length === 0 || list.length > maxBytes) return undefined;
  const bytes = list.filter((byte): byte is number => typeof byte === 'number' && byte >= 0 && byte <= 255);
  return bytes.length === list.length ? Buffer.from(bytes).toString('base64') : undefined;
}
