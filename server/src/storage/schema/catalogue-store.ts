import { readFile } from 'node:fs/promises';
import { withOwnerPool } from '../database/owner-pool.ts';
import { roleNames } from '../database/roles.ts';
import { type Catalogue, type CatalogueDifference, compareCatalogues } from './catalogue.ts';
import { migratorTables, type SchemaOptions } from './migrate.ts';
import { belongsToDayPartition } from './partition-days.ts';
import { schemaName } from './tables.ts';

/** Written from a freshly migrated database by `server/test/support/write-catalogue.ts`; a test keeps it true. */
export const expectedCatalogueFile = new URL('./expected-catalogue.generated.json', import.meta.url);

/**
 * Compares the live schema with what the migrations make, and names each thing missing, extra or different. Asks the
 * catalogue only: it needs no right to create a database and changes nothing.
 */
export async function checkCatalogue(options: SchemaOptions): Promise<CatalogueDifference[]> {
  const expected = JSON.parse(await readFile(expectedCatalogueFile, 'utf8')) as Catalogue;
  return compareCatalogues(expected, await readCatalogue(options));
}

/** The live schema, without the partitions of days and the migrator's own tables. */
export function readCatalogue(options: SchemaOptions): Promise<Catalogue> {
  return withOwnerPool(options.ownerUrl, async (pool) => {
    const found: [thing: string, definition: string][] = [];
    for (const question of questions) {
      const { rows } = await pool.query<{ thing: string; relation: string; definition: string }>(question, [
        schemaName,
        Object.values(roleNames),
      ]);
      for (const row of rows) if (!comesAndGoes(row.relation)) found.push([row.thing, row.definition]);
    }
    return Object.fromEntries(found.sort(([a], [b]) => (a < b ? -1 : 1)));
  });
}

function comesAndGoes(relation: string): boolean {
  return belongsToDayPartition(relation) || (migratorTables as readonly string[]).includes(relation);
}

const relationKinds = `CASE c.relkind WHEN 'v' THEN 'view' WHEN 'm' THEN 'materialized view' WHEN 'S' THEN 'sequence' ELSE 'table' END`;
const inSchema = 'JOIN pg_namespace n ON n.oid = c.relnamespace AND n.nspname = $1';
/** Keeps every statement at two parameters. */
const unused = '$2::text[] IS NOT NULL';

/** Each gives `thing`, the `relation` it belongs to, and `definition`. $1 is the schema, $2 our roles. */
const questions: readonly string[] = [
  // Tables with their persistence, row-level security and partitioning; sequences; views with their text and options.
  `SELECT ${relationKinds} || ' ' || c.relname AS thing, c.relname AS relation,
          CASE WHEN c.relkind IN ('v', 'm') THEN concat_ws(' ', array_to_string(c.reloptions, ','), pg_get_viewdef(c.oid))
               ELSE concat_ws(' ', CASE c.relpersistence WHEN 'u' THEN 'unlogged' END,
                      CASE WHEN c.relrowsecurity THEN 'rls' END, CASE WHEN c.relforcerowsecurity THEN 'forced' END,
                      CASE WHEN c.relkind = 'p' THEN 'partition by ' || pg_get_partkeydef(c.oid) END,
                      CASE WHEN c.relispartition THEN 'partition of ' ||
                        (SELECT p.relname FROM pg_inherits i JOIN pg_class p ON p.oid = i.inhparent WHERE i.inhrelid = c.oid)
                        || ' ' || pg_get_expr(c.relpartbound, c.oid) END) END AS definition
     FROM pg_class c ${inSchema} WHERE c.relkind IN ('r', 'p', 'v', 'm', 'S') AND ${unused}`,
  `SELECT 'column ' || c.relname || '.' || a.attname AS thing, c.relname AS relation,
          concat_ws(' ', format_type(a.atttypid, a.atttypmod), CASE WHEN a.attnotnull THEN 'not null' END,
            CASE a.attgenerated WHEN '' THEN 'default' ELSE 'generated' END || ' ' || pg_get_expr(d.adbin, d.adrelid),
            CASE a.attidentity WHEN '' THEN NULL ELSE 'identity ' || a.attidentity::text END) AS definition
     FROM pg_class c ${inSchema} JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
     LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
    WHERE c.relkind IN ('r', 'p', 'v', 'm') AND ${unused}`,
  // Not-null constraints are rows of their own only since 18: they are told by their columns.
  `SELECT 'constraint ' || c.relname || '.' || k.conname AS thing, c.relname AS relation,
          concat_ws(' ', pg_get_constraintdef(k.oid), CASE WHEN NOT k.convalidated THEN 'not valid' END) AS definition
     FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid ${inSchema} WHERE k.contype <> 'n' AND ${unused}`,
  `SELECT 'index ' || i.relname AS thing, c.relname AS relation,
          concat_ws(' ', pg_get_indexdef(x.indexrelid), CASE WHEN NOT x.indisvalid THEN 'invalid' END) AS definition
     FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid JOIN pg_class c ON c.oid = x.indrelid ${inSchema}
    WHERE NOT EXISTS (SELECT 1 FROM pg_constraint k WHERE k.conindid = x.indexrelid AND k.contype IN ('p', 'u', 'x'))
      AND ${unused}`,
  `SELECT 'policy ' || c.relname || '.' || p.polname AS thing, c.relname AS relation,
          concat_ws(' ', CASE WHEN p.polpermissive THEN 'permissive' ELSE 'restrictive' END, 'for', p.polcmd, 'to',
            (SELECT string_agg(coalesce(r.rolname, 'public'), ',' ORDER BY r.rolname)
               FROM unnest(p.polroles) AS o(oid) LEFT JOIN pg_roles r ON r.oid = o.oid),
            'using (' || pg_get_expr(p.polqual, p.polrelid) || ')',
            'check (' || pg_get_expr(p.polwithcheck, p.polrelid) || ')') AS definition
     FROM pg_policy p JOIN pg_class c ON c.oid = p.polrelid ${inSchema} WHERE ${unused}`,
  // What our roles, and everybody, may do.
  `SELECT 'grant ' || c.relname || ' to ' || coalesce(r.rolname, 'public') AS thing, c.relname AS relation,
          string_agg(lower(a.privilege_type), ', ' ORDER BY a.privilege_type) AS definition
     FROM pg_class c ${inSchema} CROSS JOIN LATERAL aclexplode(c.relacl) a LEFT JOIN pg_roles r ON r.oid = a.grantee
    WHERE a.grantee = 0 OR r.rolname = ANY($2) GROUP BY c.relname, r.rolname`,
  `SELECT 'trigger ' || c.relname || '.' || t.tgname AS thing, c.relname AS relation, pg_get_triggerdef(t.oid) AS definition
     FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid ${inSchema} WHERE NOT t.tgisinternal AND ${unused}`,
  `SELECT 'function ' || p.proname || '(' || pg_get_function_identity_arguments(p.oid) || ')' AS thing,
          '' AS relation, pg_get_functiondef(p.oid) AS definition
     FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace AND n.nspname = $1 WHERE p.prokind <> 'a' AND ${unused}`,
];
