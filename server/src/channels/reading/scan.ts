/** What can be known of JSON text in one pass without recursion. Right for valid JSON; an upper bound for the rest. */
export interface JsonScan {
  readonly depth: number;
  readonly values: number;
  /** A number of 16 digits or more stands outside strings, so it may lie beyond 2^53. */
  readonly hasLongNumber: boolean;
}

const quote = 34;
const comma = 44;
const zero = 48;
const nine = 57;
const openBracket = 91;
const backslash = 92;
const closeBracket = 93;
const openBrace = 123;
const closeBrace = 125;
const longNumberDigits = 16;

export function scanJson(text: string): JsonScan {
  let open = 0;
  let depth = 0;
  let values = 1;
  let digits = 0;
  let longest = 0;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code >= zero && code <= nine) {
      digits++;
      if (digits > longest) longest = digits;
      continue;
    }
    digits = 0;
    if (code === quote) at = endOfString(text, at);
    else if (code === comma) values++;
    else if (code === openBrace || code === openBracket) {
      open++;
      values++;
      if (open > depth) depth = open;
    } else if (code === closeBrace || code === closeBracket) open--;
  }
  return { depth, values, hasLongNumber: longest >= longNumberDigits };
}

/** Position of the closing quote, or the end of the text where there is none. */
function endOfString(text: string, start: number): number {
  let end = text.indexOf('"', start + 1);
  while (end !== -1 && isEscaped(text, end)) end = text.indexOf('"', end + 1);
  return end === -1 ? text.length : end;
}

function isEscaped(text: string, quoteAt: number): boolean {
  let slashes = 0;
  for (let at = quoteAt - 1; text.charCodeAt(at) === backslash; at--) slashes++;
  return slashes % 2 === 1;
}
