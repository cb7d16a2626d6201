/** JSON text cut into tokens by their kind, to be coloured. Every character of the text is in one of them. */
export type TokenKind = 'key' | 'text' | 'number' | 'word' | 'mark';

export interface Token {
  readonly kind: TokenKind;
  readonly text: string;
}

const pattern = /("(?:\\.|[^"\\])*")(\s*:)?|(-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)|\b(true|false|null)\b/g;

export function tokensOf(json: string): Token[] {
  const tokens: Token[] = [];
  let end = 0;
  for (const match of json.matchAll(pattern)) {
    const [whole, quoted, colon, number] = match;
    if (match.index > end) tokens.push({ kind: 'mark', text: json.slice(end, match.index) });
    if (quoted !== undefined) {
      tokens.push({ kind: colon === undefined ? 'text' : 'key', text: quoted });
      if (colon !== undefined) tokens.push({ kind: 'mark', text: colon });
    } else tokens.push({ kind: number === undefined ? 'word' : 'number', text: whole });
    end = match.index + whole.length;
  }
  if (end < json.length) tokens.push({ kind: 'mark', text: json.slice(end) });
  return tokens;
}

/**
 * Laid out when it is JSON, else as it came. Works on the text, since reading and writing it anew would change long
 * numbers and lose repeated keys: what a provider sent is shown as it sent it.
 */
export function laidOut(text: string): string {
  if (!isJson(text)) return text;
  let depth = 0;
  const lineAt = (levels: number) => `\n${'  '.repeat(levels)}`;
  return text.replace(/"(?:\\.|[^"\\])*"|\s+|[{[]\s*[}\]]|[{}[\],:]/g, (part) => {
    if (part.startsWith('"')) return part;
    if (/^\s/.test(part)) return '';
    if (part.length > 1) return `${part[0]}${part.at(-1)}`;
    if (part === '{' || part === '[') return part + lineAt(++depth);
    if (part === '}' || part === ']') return lineAt(--depth) + part;
    return part === ',' ? part + lineAt(depth) : ': ';
  });
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    // A form, a multipart body, broken JSON.
    return false;
  }
}
