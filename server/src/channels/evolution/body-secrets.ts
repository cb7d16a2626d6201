/**
 * Where Evolution's webhook body carries keys. The `apikey` of the envelope is the instance's token, for its official
 * channel a Meta access token; its global error webhook carries the server's own key as `api_key`
 * (EvolutionAPI/evolution-api 2.3, webhook controller). Found by walking the tokens, so the same letters inside
 * somebody's message are left alone.
 */
import type { SecretSpan } from '../channel.ts';

const quote = 34;
const comma = 44;
const openBracket = 91;
const backslash = 92;
const closeBracket = 93;
const openBrace = 123;
const closeBrace = 125;
const blank = 32;
const byteOrderMark = [0xef, 0xbb, 0xbf];
/** No name we look for is longer, even with every letter escaped. */
const maxNameBytes = 64;

/**
 * Byte ranges of the values, without their quotes, in ascending order; of each where a name is given twice. Only members
 * of the envelope count (of each envelope where the body is a list). Never throws: of what is no JSON it reads as far as
 * it can.
 */
export function findBodySecrets(body: Uint8Array): readonly SecretSpan[] {
  const start = startOf(body);
  const envelopeDepth = body[start] === openBracket ? 2 : 1;
  const spans: SecretSpan[] = [];
  let depth = 0;
  let isName = false;
  let name = '';
  for (let at = start; at < body.length; at++) {
    const byte = body[at];
    if (byte === quote) {
      const end = endOfString(body, at);
      if (depth === envelopeDepth && isName) name = nameAt(body, at, end);
      else if (depth === envelopeDepth && isSecretName(name) && end > at + 1) spans.push({ start: at + 1, end });
      isName = false;
      at = end;
    } else if (byte === openBrace || byte === openBracket) {
      depth++;
      isName = byte === openBrace;
    } else if (byte === closeBrace || byte === closeBracket) depth--;
    else if (byte === comma) isName = depth === envelopeDepth;
  }
  return spans;
}

/** The values themselves, unescaped; for comparing. */
export function readBodySecrets(body: Uint8Array): readonly string[] {
  return findBodySecrets(body).map(({ start, end }) => unescaped(textOf(body, start, end)));
}

function startOf(body: Uint8Array): number {
  let at = byteOrderMark.every((byte, index) => body[index] === byte) ? byteOrderMark.length : 0;
  while (at < body.length && (body[at] ?? 0) <= blank) at++;
  return at;
}

/** Position of the closing quote; the end of the body where it is missing. */
function endOfString(body: Uint8Array, start: number): number {
  for (let at = start + 1; at < body.length; at++) {
    if (body[at] === backslash) at++;
    else if (body[at] === quote) return at;
  }
  return body.length;
}

function nameAt(body: Uint8Array, start: number, end: number): string {
  return end - start > maxNameBytes ? '' : unescaped(textOf(body, start + 1, end));
}

function isSecretName(name: string): boolean {
  return name.replace('_', '').toLowerCase() === 'apikey';
}

function textOf(body: Uint8Array, start: number, end: number): string {
  return Buffer.from(body.buffer, body.byteOffset + start, end - start).toString('utf8');
}

function unescaped(text: string): string {
  if (!text.includes('\\')) return text;
  try {
    return String(JSON.parse(`"${text}"`));
  } catch {
    // A broken escape: the text is no secret of ours either way, and the body no JSON.
    return text;
  }
}
