/**
 * `application/x-www-form-urlencoded`, as Twilio posts it (providers send a colon bare or escaped, and a plus for a
 * blank). Kept as a list in its own order: the signature needs repeated names, the reader wants the first of each.
 */
export type FormFields = readonly (readonly [name: string, value: string])[];

/** Twilio sends about 40; what holds more is an attack on the sorting below. */
export const maxFormFields = 1_000;

const ampersand = 38;
const decoder = new TextDecoder('utf-8', { ignoreBOM: true });

/** Null where there are more fields than `maxFormFields`; never throws. */
export function parseForm(body: Uint8Array): FormFields | null {
  if (countFields(body) > maxFormFields) return null;
  return parseFormText(decoder.decode(body));
}

/** The query of a path as it came: `/hook?a=1` gives `a`. */
export function parseQuery(target: string): FormFields | null {
  const start = target.indexOf('?');
  if (start === -1) return [];
  const query = target.slice(start + 1);
  return query.split('&').length > maxFormFields ? null : parseFormText(query);
}

function parseFormText(text: string): FormFields {
  // URLSearchParams drops one leading question mark, so it is given one to drop.
  return [...new URLSearchParams(`?${text}`)];
}

function countFields(body: Uint8Array): number {
  let count = 1;
  for (const byte of body) if (byte === ampersand) count++;
  return count;
}
