/** I7 and I11: a workspace's word in another's rows, and a planted secret in what anybody can read. */
import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import type pg from 'pg';
import type { Shop } from '../stage/shops.ts';

/** Rows that hold another workspace's canary, as text or in bytes, over every table with a workspace. */
export async function countLeakedRows(client: pg.Client, shops: readonly Shop[]): Promise<number> {
  const canaries = new Map(shops.map((shop) => [shop.workspaceId, shop.canary]));
  const tables = await client.query<{ name: string }>(
    `SELECT c.relname AS name FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'workspace_id'
     WHERE c.relnamespace = 'switchyard'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition`,
  );
  let leaked = 0;
  for (const { name } of tables.rows) {
    for (const [workspaceId, canary] of canaries) {
      const foreign = [...canaries].filter(([other]) => other !== workspaceId).map(([, word]) => word);
      if (foreign.includes(canary)) throw new Error('two workspaces share a canary');
      const patterns = foreign.flatMap((word) => [`%${word}%`, `%${Buffer.from(word).toString('hex')}%`]);
      const { rows } = await client.query<{ count: string }>(
        `SELECT count(*) FROM ${name} t WHERE t.workspace_id = $1 AND t::text LIKE ANY($2)`,
        [workspaceId, patterns],
      );
      leaked += Number(rows[0]?.count);
    }
  }
  return leaked;
}

export async function countSecretsIn(files: readonly string[], secrets: readonly string[]): Promise<number> {
  let found = 0;
  for (const file of files) {
    for await (const line of createInterface({ input: createReadStream(file) })) {
      if (secrets.some((secret) => line.includes(secret))) found += 1;
    }
  }
  return found;
}
