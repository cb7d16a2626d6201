/** What an entry of the audit log says, and which values of a change it shows. Pure. */

export type Facts = Readonly<Record<string, unknown>>;

export interface AuditEntry {
  /** `person per_…`, `key key_…`, `cli`, `system`. */
  readonly actor: string;
  /** A verb: `create`, `update`, `rotate-token`. */
  readonly action: string;
  /** Kind and public id: `account acc_…`. */
  readonly resource: string;
  /** Facts of the act that are no secret and name nobody: values are kept as they are. */
  readonly fields?: Facts;
  /** The thing's fields before and after: of those that differ names are kept, values masked but for `shownFields`. */
  readonly before?: Facts;
  readonly after?: Facts;
}

export const masked = '•••';

/** Fields whose values may be read in the log by whoever may read it. */
const shownFields: ReadonlySet<string> = new Set([
  'role',
  'scopes',
  'provider',
  'channel',
  'status',
  'expiresAt',
  'timeZone',
  'language',
  'slug',
  'kind',
]);

/** What is stored of an entry. Throws nothing; drops what JSON cannot hold. */
export function factsOf(entry: AuditEntry): Facts {
  const change = changeOf(entry.before, entry.after);
  const facts = { ...entry.fields, ...change };
  return JSON.parse(JSON.stringify(facts)) as Facts;
}

function changeOf(before: Facts | undefined, after: Facts | undefined): Facts {
  if (!before && !after) return {};
  const names = [...new Set([...Object.keys(before ?? {}), ...Object.keys(after ?? {})])];
  const changed = names.filter((name) => JSON.stringify(before?.[name]) !== JSON.stringify(after?.[name]));
  const side = (facts: Facts) => Object.fromEntries(changed.map((name) => [name, shown(name, facts[name])]));
  return { ...(before ? { before: side(before) } : {}), ...(after ? { after: side(after) } : {}) };
}

function shown(name: string, value: unknown): unknown {
  if (value === null || value === undefined) return null;
  return typeof value === 'boolean' || shownFields.has(name) ? value : masked;
}
