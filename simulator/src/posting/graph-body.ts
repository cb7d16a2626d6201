/**
 * JSON as Meta writes it: everything beyond ASCII as `\uXXXX` in lower-case hex, slashes as `\/`. A receiver that
 * parses and writes again gets other bytes, and the signature no longer fits (providers.md 1.2).
 */
export interface GraphEntry {
  readonly id: string;
  readonly time: number;
  readonly changes?: readonly unknown[];
  readonly messaging?: readonly unknown[];
  readonly standby?: readonly unknown[];
}

export interface GraphBody {
  readonly object: 'whatsapp_business_account' | 'instagram';
  readonly entry: readonly GraphEntry[];
}

const SPECIAL = /[\u0080-\uffff/]/;
const SPECIAL_ALL = /[\u0080-\uffff/]/g;

export function writeLikeMeta(value: unknown): string {
  const text = JSON.stringify(value);
  return SPECIAL.test(text) ? text.replace(SPECIAL_ALL, escapeUnit) : text;
}

/** Several updates in one POST, as Meta batches them: entries of one id become one entry with many changes. */
export function mergeGraphBodies(bodies: readonly GraphBody[]): GraphBody {
  const merged = new Map<string, GraphEntry>();
  for (const entry of bodies.flatMap((body) => body.entry)) {
    const kind = entry.changes ? 'changes' : entry.messaging ? 'messaging' : 'standby';
    const known = merged.get(`${kind} ${entry.id}`);
    const list = [...(known?.[kind] ?? []), ...(entry[kind] ?? [])];
    merged.set(`${kind} ${entry.id}`, { id: entry.id, time: entry.time, [kind]: list });
  }
  return { object: bodies[0]?.object ?? 'whatsapp_business_account', entry: [...merged.values()] };
}

function escapeUnit(unit: string): string {
  return unit === '/' ? '\\/' : `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`;
}
