/** One page of a list, and where the next begins; `nextCursor` null at the end. */
export interface Page<Item> {
  readonly data: readonly Item[];
  readonly nextCursor: string | null;
}

export interface PageRequest {
  readonly limit: number;
  readonly cursor?: string;
}

export const maxPageSize = 200;

/** A cursor is opaque to callers: the sort key of the last row, as base64url of a JSON array. */
export function encodeCursor(key: readonly (string | number | null)[]): string {
  return Buffer.from(JSON.stringify(key)).toString('base64url');
}

/** The sort key inside; undefined when it is not one of ours or has another number of parts. */
export function parseCursor(cursor: string, parts: number): readonly (string | number | null)[] | undefined {
  try {
    const key: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString());
    const isKey = Array.isArray(key) && key.length === parts && key.every(isKeyPart);
    return isKey ? key : undefined;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/** From `limit + 1` rows asked for: the page, and a cursor when there is more. */
export function pageOf<Row, Item>(
  rows: readonly Row[],
  limit: number,
  read: { item(row: Row): Item; key(row: Row): readonly (string | number | null)[] },
): Page<Item> {
  const shown = rows.slice(0, limit);
  const last = shown.at(-1);
  const nextCursor = rows.length > limit && last !== undefined ? encodeCursor(read.key(last)) : null;
  return { data: shown.map(read.item), nextCursor };
}

export function clampLimit(limit: number): number {
  return Math.min(Math.max(1, Math.trunc(limit)), maxPageSize);
}

function isKeyPart(part: unknown): boolean {
  return part === null || typeof part === 'string' || typeof part === 'number';
}
