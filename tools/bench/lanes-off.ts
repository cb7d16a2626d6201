/**
 * The server without lanes and without turns between workspaces, for a measurement beside it: whatever is due longest is
 * taken first, whoever's it is and whatever it is for. `server/test/outbox/lanes-off.test.ts` sees that these claims still
 * work, and in that order.
 */
import pg from 'pg';
import type { Edit } from '../edited-copy.ts';

/** What these claims look things up by, instead of what the lanes and the turns are looked up by. */
const indexes = `
  CREATE INDEX outbox_due_longest ON switchyard.outbox (due_at, id) WHERE state = 'queued';
  DROP INDEX switchyard.outbox_due;
  CREATE INDEX conversations_due_longest ON switchyard.conversations (next_due_at) WHERE next_due_at IS NOT NULL;
  DROP INDEX switchyard.conversations_due;`;

/** In a database that only such servers work on; `ownerUrl` may alter its tables. */
export async function indexWithoutLanes(ownerUrl: string): Promise<void> {
  const client = new pg.Client({ connectionString: ownerUrl });
  await client.connect();
  try {
    await client.query(indexes);
  } finally {
    await client.end();
  }
}

export const lanesOff: readonly Edit[] = [
  {
    file: 'outbox/dispatch/claim-store.ts',
    find: /WITH RECURSIVE waiting AS \([^`]*?\n {2}\), locked AS \(/,
    // What nobody asks any more is named, so that the statement takes what it is given; nobody waits for a turn.
    put: `WITH unasked AS (
    SELECT $2::int, $3::int, $5::uuid[], $6::int[], $7::uuid[], $8::int[], $12::text[], $13::uuid[]
  ), open AS (
    SELECT NULL::uuid AS workspace_id, NULL::bigint AS served WHERE false
  ), picked AS (
    SELECT o.workspace_id, o.id, 0 AS lane_rank, 0 AS of_workspace FROM outbox o
     WHERE o.state = 'queued' AND o.due_at <= now()
       AND NOT EXISTS (
         SELECT 1 FROM outbox earlier
          WHERE earlier.workspace_id = o.workspace_id AND earlier.conversation_id = o.conversation_id
            AND earlier.ordinal < o.ordinal AND earlier.state IN ('queued', 'claimed', 'sending', 'uncertain')
            AND (earlier.state <> 'uncertain' OR earlier.due_at > now() - $9 * interval '1 millisecond'))
     ORDER BY o.due_at, o.id LIMIT $1
  ), locked AS (`,
  },
  // No cap in flight, neither where a message is claimed as it is queued.
  { file: 'outbox/dispatch/settings.ts', find: /maxPerWorkspace: \d+,/, put: 'maxPerWorkspace: 1_000_000,' },
  { file: 'outbox/dispatch/settings.ts', find: /maxPerAccount: \d+,/, put: 'maxPerAccount: 1_000_000,' },
  {
    file: 'inbox/turns/turn-store.ts',
    find: /WITH RECURSIVE waiting AS \([^`]*?\n {5}due AS MATERIALIZED \(/,
    put: `WITH unasked AS (SELECT $3::int, $4::uuid[], $5::int[], $6::uuid[]),
     known AS (SELECT NULL::uuid AS workspace_id, NULL::bigint AS served WHERE false),
     picked AS MATERIALIZED (
       SELECT c.workspace_id, c.id, c.next_due_at, 0 AS nth FROM conversations c
       WHERE c.next_due_at <= clock_timestamp() AND c.leased_until < clock_timestamp()
       ORDER BY c.next_due_at LIMIT $1),
     due AS MATERIALIZED (`,
  },
  // Of the shards that a worker holds: the oldest deliveries, not the first of each shard.
  {
    file: 'inbox/normalise/normalise-store.ts',
    find: 'row_number() OVER (ORDER BY position, id) AS nth',
    put: '0 AS nth',
  },
];
