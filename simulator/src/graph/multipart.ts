/** multipart/form-data, as far as an upload of one file needs it (RFC 7578). Pure. */
export interface Part {
  readonly name: string;
  readonly fileName: string | null;
  readonly contentType: string;
  readonly bytes: Buffer;
}

const PART_LIMIT = 20;

export function readMultipart(body: Buffer, contentType: string): Part[] {
  const boundary = /boundary=(?:"([^"]+)"|([^;]+))/i.exec(contentType);
  const mark = boundary?.[1] ?? boundary?.[2];
  if (!mark) return [];
  const delimiter = Buffer.from(`--${mark.trim()}`);
  const parts: Part[] = [];
  let start = body.indexOf(delimiter);
  while (start >= 0 && parts.length < PART_LIMIT) {
    const end = body.indexOf(delimiter, start + delimiter.length);
    if (end < 0) break;
    // Between the delimiters: CRLF, headers, blank line, content, CRLF.
    const part = readPart(body.subarray(start + delimiter.length + 2, end - 2));
    if (part) parts.push(part);
    start = end;
  }
  return parts;
}

function readPart(section: Buffer): Part | null {
  const blank = section.indexOf('\r\n\r\n');
  if (blank < 0) return null;
  const headers = section.subarray(0, blank).toString('utf8');
  const name = /name="([^"]*)"/i.exec(headers)?.[1];
  if (name === undefined) return null;
  return {
    name,
    fileName: /filename="([^"]*)"/i.exec(headers)?.[1] ?? null,
    contentType: /content-type:\s*([^\r\n]+)/i.exec(headers)?.[1]?.trim() ?? 'application/octet-stream',
    bytes: Buffer.from(section.subarray(blank + 4)),
  };
}
