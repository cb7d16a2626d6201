/**
 * Twilio's request signature: HMAC-SHA1 under the account's auth token over the URL that Twilio was given, followed by
 * every form parameter. Source: the `webhooks.ts` of Twilio's Node library and its tests; the security page says that
 * parameters are added without notice, so none is named here.
 */
import { createHash, createHmac } from 'node:crypto';
import querystring from 'node:querystring';
import { done, type Result, refused } from '#kernel';
import type { RawRequest, Verification, VerifySecrets } from '../channel.ts';
import { isSameSecret } from '../secrets/index.ts';
import { type FormFields, parseForm, parseQuery } from './form.ts';

/** An HMAC-SHA1 in base64. */
const signatureShape = /^[A-Za-z0-9+/]{27}=$/;

export function hasTwilioSignature(headers: RawRequest['headers']): boolean {
  return signatureShape.test(headers['x-twilio-signature'] ?? '');
}

/** 401 when refused. Any of the tokens may have signed, over any of the spellings of the URL. */
export function verifyTwilio(request: RawRequest, secrets: VerifySecrets): Verification {
  const signature = request.headers['x-twilio-signature'];
  if (!signature) return { kind: 'refused', reason: 'the X-Twilio-Signature header is missing' };
  if (!signatureShape.test(signature)) return { kind: 'refused', reason: 'the signature is no HMAC-SHA1 in base64' };
  if (secrets.signing.length === 0) return { kind: 'refused', reason: 'no auth token is held for this account' };
  const suffix = signedBody(request);
  if (!suffix.ok) return { kind: 'refused', reason: suffix.refusal };
  const texts = signedUrls(`${secrets.publicUrl}${request.target}`).map((url) => url + suffix.value);
  const isSigned = secrets.signing.some((token) =>
    texts.some((text) => token !== '' && isSameSecret(signature, signatureOf(token, text))),
  );
  if (!isSigned) return { kind: 'refused', reason: 'the signature does not match' };
  return { kind: 'verified', isAuthenticated: true };
}

export function signatureOf(token: string, text: string): string {
  return createHmac('sha1', token).update(text).digest('base64');
}

/**
 * What is signed of the body. A form: its parameters. Anything else: nothing but its SHA-256, which stands in the signed
 * URL as `bodySHA256`. A body that neither covers is refused, for then nobody has signed it.
 */
function signedBody(request: RawRequest): Result<string, string> {
  if (request.body.length === 0) return done('');
  const digest = parseQuery(request.target)?.find(([name]) => name === 'bodySHA256')?.[1];
  if (digest !== undefined) {
    const actual = createHash('sha256').update(request.body).digest('hex');
    return isSameSecret(digest, actual) ? done('') : refused('bodySHA256 does not match the body');
  }
  if (!isForm(request.headers)) return refused('the body is neither a form nor covered by bodySHA256');
  const fields = parseForm(request.body);
  return fields ? done(signedParameters(fields)) : refused('the form holds too many parameters');
}

function isForm(headers: RawRequest['headers']): boolean {
  const type = headers['content-type'];
  return type === undefined || type.toLowerCase().startsWith('application/x-www-form-urlencoded');
}

/** Names sorted, each followed by its value; of a repeated name the unique values, sorted. Empty values count. */
export function signedParameters(fields: FormFields): string {
  const valuesByName = new Map<string, Set<string>>();
  for (const [name, value] of fields) {
    const values = valuesByName.get(name);
    if (values) values.add(value);
    else valuesByName.set(name, new Set([value]));
  }
  return [...valuesByName.keys()]
    .sort()
    .flatMap((name) => [...(valuesByName.get(name) ?? [])].sort().map((value) => name + value))
    .join('');
}

/**
 * The spellings of one URL that Twilio's servers sign, which its own library tries one after another: without a port,
 * with one (80 or 443 written out), and both with the query re-encoded as old versions did (`'` and `%27`). The text
 * exactly as it came stands first, since a WHATWG URL rewrites some paths.
 */
export function signedUrls(seen: string): readonly string[] {
  if (!URL.canParse(seen)) return [seen];
  const withoutPort = new URL(seen);
  withoutPort.port = '';
  const plain = [withoutPort.toString(), withPort(new URL(seen))];
  return [...new Set([seen, ...plain, ...plain.map(withLegacyQuery)])];
}

function withPort(url: URL): string {
  if (url.port) return url.toString();
  const port = url.protocol === 'https:' ? 443 : 80;
  const user = url.username ? `${url.username}${url.password ? `:${url.password}` : ''}@` : '';
  return `${url.protocol}//${user}${url.host}:${port}${url.pathname}${url.search}`;
}

function withLegacyQuery(url: string): string {
  const start = url.indexOf('?');
  if (start === -1) return url;
  return `${url.slice(0, start)}?${querystring.stringify(querystring.parse(url.slice(start + 1)))}`;
}
