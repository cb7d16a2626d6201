import { isArray, isObject, type JsonObject, type JsonValue } from '../reading/index.ts';

/** Members whose value is a secret: a server's keys and tokens never become facts, at whatever depth they stand. */
const secretName = /^(api_?key|token|hash|jwt.*|.*secret.*|password|access_?token.*)$/i;
/** Shown elsewhere (the QR event), or a dump of an error with the whole connection in it. */
const leftOut = new Set(['qrcode', 'base64', 'disconnectionObject']);

/** The data as facts worth keeping: secrets and bulk left out. */
export function factsOf(data: JsonValue): JsonObject {
  if (!isObject(data)) return data === null ? {} : { value: withoutSecrets(data) };
  return keptMembers(data, (name) => leftOut.has(name));
}

function withoutSecrets(value: JsonValue): JsonValue {
  if (isArray(value)) return value.map(withoutSecrets);
  return isObject(value) ? keptMembers(value, () => false) : value;
}

function keptMembers(value: JsonObject, isLeftOut: (name: string) => boolean): JsonObject {
  const kept = Object.entries(value).filter(([name]) => !secretName.test(name) && !isLeftOut(name));
  return Object.fromEntries(kept.map(([name, member]) => [name, withoutSecrets(member)]));
}
