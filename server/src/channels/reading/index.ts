/** What channels share to read a provider's JSON: parse, typed readers, times, fingerprints, part-by-part isolation. */
export { fingerprint } from './fingerprint.ts';
export { instantOf } from './instant.ts';
export {
  cleanText,
  type JsonObject,
  type JsonValue,
  maxJsonDepth,
  maxJsonValues,
  parseJson,
  parseJsonText,
} from './json.ts';
export {
  itemsOf,
  joinNormalised,
  maxParts,
  memberOf,
  nothingRead,
  type Part,
  pointerTo,
  readBody,
  readEach,
  readItems,
  readPart,
  refusedPart,
  Unreadable,
} from './parts.ts';
export { present } from './present.ts';
export { arrayAt, flagAt, idAt, isArray, isObject, numberAt, objectAt, textAt, valueAt } from './values.ts';
