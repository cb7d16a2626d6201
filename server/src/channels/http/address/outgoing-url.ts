/**
 * A URL that may be called: http or https, with a host, without a name and password in it (they would leave in clear, and
 * `http://known.example@10.0.0.1/` reads like what it is not). The parser settles odd notations of addresses: decimal,
 * octal and hexadecimal parts, percent signs, full-width digits, a dot at the end. Where it leads is `reach.ts`'s affair.
 */
export function parseOutgoingUrl(text: string): URL | undefined {
  const url = URL.parse(text);
  if (!url || (url.protocol !== 'https:' && url.protocol !== 'http:')) return undefined;
  return url.host !== '' && url.username === '' && url.password === '' ? url : undefined;
}
