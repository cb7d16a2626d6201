import type { DeliveryId } from '@switchyard/contract';
import type { SecretSpan } from '#channels';
import type { SealedPlace, Sealer } from '#storage';

type Headers = Readonly<Record<string, string>>;

/** A delivery without its secrets, and those sealed beside it; null where it had none. */
export interface WithoutSecrets {
  readonly headers: Headers;
  readonly body: Buffer;
  readonly secretsSealed: Buffer | null;
}

export interface SealedDelivery extends WithoutSecrets {
  readonly id: DeliveryId;
}

interface SecretParts {
  readonly headers: Headers;
  /** Where a value began, and its bytes in base64. */
  readonly body: readonly (readonly [start: number, bytes: string])[];
}

const secretHeaders: ReadonlySet<string> = new Set([
  'apikey',
  'authorization',
  'cookie',
  'proxy-authorization',
  'x-api-key',
  'x-webhook-token',
]);
const mask = '*'.charCodeAt(0);
const maskText = '*';

/** Signatures are no secrets: they prove one body, and are needed to check it again. */
function isSecretHeader(name: string): boolean {
  return secretHeaders.has(name) || (name.startsWith('x-') && name.endsWith('-secret'));
}

/**
 * Takes secret values out: masked byte for byte in the body, so that every position stays, and as one star in a header.
 * `values` are the account's secrets: where one stands in any other header, it is taken out too.
 */
export function takeSecrets(
  delivery: { readonly id: DeliveryId; readonly headers: Headers; readonly body: Buffer },
  secrets: { readonly spans: readonly SecretSpan[]; readonly values: readonly string[] },
  sealer: Sealer,
): WithoutSecrets {
  const { spans } = secrets;
  const names = secretHeaderNames(delivery.headers, secrets.values);
  if (names.length === 0 && spans.length === 0) {
    return { headers: delivery.headers, body: delivery.body, secretsSealed: null };
  }
  const parts: SecretParts = {
    headers: Object.fromEntries(names.map((name) => [name, delivery.headers[name]!])),
    body: spans.map(({ start, end }) => [start, delivery.body.toString('base64', start, end)]),
  };
  return {
    headers: { ...delivery.headers, ...Object.fromEntries(names.map((name) => [name, maskText])) },
    body: maskSpans(delivery.body, spans),
    secretsSealed: sealer.seal(JSON.stringify(parts), placeOf(delivery.id)),
  };
}

/** The headers and the body exactly as they came: for forwarding. Throws when the sealed part does not open. */
export function rebuildDelivery(
  delivery: SealedDelivery,
  sealer: Sealer,
): { readonly headers: Headers; readonly body: Buffer } {
  if (delivery.secretsSealed === null) return { headers: delivery.headers, body: delivery.body };
  const parts = JSON.parse(sealer.openText(delivery.secretsSealed, placeOf(delivery.id))) as SecretParts;
  const body = Buffer.from(delivery.body);
  for (const [start, bytes] of parts.body) body.write(bytes, start, 'base64');
  return { headers: { ...delivery.headers, ...parts.headers }, body };
}

const noNames: readonly string[] = [];

function secretHeaderNames(headers: Headers, held: readonly string[]): readonly string[] {
  let names: string[] | undefined;
  for (const name in headers) {
    if (!isSecretHeader(name) && !held.includes(headers[name]!)) continue;
    names ??= [];
    names.push(name);
  }
  return names ?? noNames;
}

function maskSpans(body: Buffer, spans: readonly SecretSpan[]): Buffer {
  if (spans.length === 0) return body;
  const masked = Buffer.from(body);
  for (const { start, end } of spans) masked.fill(mask, start, end);
  return masked;
}

function placeOf(id: DeliveryId): SealedPlace {
  return { table: 'deliveries', column: 'secrets_sealed', row: id };
}
