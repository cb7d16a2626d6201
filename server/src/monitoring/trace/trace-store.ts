/** SQL of the search for traces: each finder gives messages or deliveries, the newest first. */
import type { DeliveryId, MessageId } from '@switchyard/contract';
import type { WorkspaceTx } from '#storage';
import type { TracedId, TraceMatch, TraceQuery } from './query.ts';

/** A trace's id is its delivery's, or the message's where it began here. */
export type TraceRef =
  | { readonly kind: 'delivery'; readonly id: DeliveryId }
  | { readonly kind: 'message'; readonly id: MessageId };

interface RefRow extends Record<string, unknown> {
  readonly deliveryId: DeliveryId | null;
  readonly messageId: MessageId | null;
}

type Finders = {
  readonly [Match in TraceMatch]: (
    tx: WorkspaceTx,
    query: Extract<TraceQuery, { by: Match }>,
    limit: number,
  ) => Promise<readonly RefRow[]>;
};

/** From a message `m`: of a customer's its delivery, of a reply the delivery that it answers. */
const refOfMessage = `
  COALESCE((SELECT e.delivery_id FROM events e WHERE e.workspace_id = $1 AND e.id = m.event_id),
           (SELECT e.delivery_id FROM turns t JOIN events e ON e.workspace_id = $1 AND e.id = t.event_id
            WHERE t.workspace_id = $1 AND t.id = m.turn_id)) AS "deliveryId", m.id AS "messageId"`;

const messageOf: Readonly<Record<Exclude<TracedId, 'delivery' | 'event' | 'turn'>, string>> = {
  message: 'm.id = $2',
  outbound: 'm.id = (SELECT o.message_id FROM outbox o WHERE o.workspace_id = $1 AND o.id = $2)',
  attempt: `m.id = (SELECT o.message_id FROM attempts p JOIN outbox o ON o.workspace_id = $1 AND o.id = p.outbound_id
                    WHERE p.workspace_id = $1 AND p.id = $2)`,
};

const byId: Readonly<Record<TracedId, string>> = {
  delivery: `SELECT d.id AS "deliveryId", NULL::uuid AS "messageId" FROM deliveries d WHERE d.workspace_id = $1 AND d.id = $2
    UNION SELECT e.delivery_id, NULL FROM events e WHERE e.workspace_id = $1 AND e.delivery_id = $2`,
  event: `SELECT e.delivery_id AS "deliveryId", NULL::uuid AS "messageId" FROM events e WHERE e.workspace_id = $1 AND e.id = $2`,
  turn: `SELECT e.delivery_id AS "deliveryId", NULL::uuid AS "messageId" FROM turns t
    JOIN events e ON e.workspace_id = $1 AND e.id = t.event_id WHERE t.workspace_id = $1 AND t.id = $2`,
  ...(Object.fromEntries(
    Object.entries(messageOf).map(([name, which]) => [
      name,
      `SELECT ${refOfMessage} FROM messages m WHERE m.workspace_id = $1 AND ${which}`,
    ]),
  ) as Record<keyof typeof messageOf, string>),
};

/** Of whoever has this number: $2 in E.164, $3 its digits. */
const conversationsOf = `
  SELECT DISTINCT v.id FROM identities i JOIN conversations v ON v.workspace_id = $1 AND v.contact_id = i.contact_id
  WHERE i.workspace_id = $1 AND (i.kind, i.value) IN (('phone', $2), ('wa_id', $3))`;

/** Of one conversation of `theirs`; by the index of these states, however many there are. */
const newestStopped = (state: string) => `
  (SELECT e.delivery_id, e.position FROM events e WHERE e.workspace_id = $1 AND e.conversation_id = theirs.id AND ${state}
   ORDER BY e.position DESC LIMIT $4)`;

/**
 * By number the events that wait or ended dead come first, with half of the places: they have no message, and are what is
 * missed. Else the newest of what was handled would leave no room for them.
 */
const finders: Finders = {
  trace: (tx, { of, id }) =>
    tx.query<RefRow>((of ? [byId[of]] : Object.values(byId)).map((text) => `(${text})`).join(' UNION '), [
      tx.workspaceId,
      id,
    ]),
  phone: async (tx, { phone, digits }, limit) => {
    const stopped = await tx.query<RefRow>(
      `WITH theirs AS MATERIALIZED (${conversationsOf})
       SELECT stopped.delivery_id AS "deliveryId", NULL::uuid AS "messageId" FROM theirs CROSS JOIN LATERAL (
         ${newestStopped("e.state = 'pending'")} UNION ALL ${newestStopped("e.state IN ('parked', 'dead')")}) AS stopped
       ORDER BY stopped.position DESC LIMIT $4`,
      [tx.workspaceId, phone, digits, Math.ceil(limit / 2)],
    );
    const messages = await tx.query<RefRow>(
      `SELECT ${refOfMessage} FROM messages m WHERE m.workspace_id = $1 AND m.conversation_id IN (${conversationsOf})
       ORDER BY m.created_at DESC, m.id DESC LIMIT $4`,
      [tx.workspaceId, phone, digits, limit],
    );
    return [...stopped, ...messages];
  },
  'provider-id': (tx, { id }, limit) =>
    tx.query<RefRow>(
      `SELECT * FROM (
         SELECT ${refOfMessage} FROM accounts a
         JOIN messages m ON m.workspace_id = $1 AND m.account_id = a.id AND m.provider_message_id = $2
         WHERE a.workspace_id = $1
         UNION ALL
         SELECT e.delivery_id, NULL FROM accounts a
         JOIN events e ON e.workspace_id = $1 AND e.account_id = a.id AND e.wait_key = $2 AND e.state = 'parked'
         WHERE a.workspace_id = $1
         UNION ALL
         SELECT e.delivery_id, NULL FROM events e
         WHERE e.workspace_id = $1 AND e.provider_message_id = $2 AND e.state IN ('pending', 'parked', 'dead')
       ) AS found LIMIT $3`,
      [tx.workspaceId, id, limit],
    ),
};

/** Each trace once. */
export async function findTraces(tx: WorkspaceTx, query: TraceQuery, limit: number): Promise<TraceRef[]> {
  const find = finders[query.by] as (tx: WorkspaceTx, query: TraceQuery, limit: number) => Promise<readonly RefRow[]>;
  const refs = new Map<string, TraceRef>();
  for (const { deliveryId, messageId } of await find(tx, query, limit)) {
    if (deliveryId) refs.set(deliveryId, { kind: 'delivery', id: deliveryId });
    else if (messageId) refs.set(messageId, { kind: 'message', id: messageId });
  }
  return [...refs.values()];
}

export interface BegunHere extends Record<string, unknown> {
  readonly createdAt: Date;
  readonly accountName: string;
  readonly author: string;
  readonly text: string;
  readonly customer: string | null;
}

/** A message that no delivery began; none of somebody who is erased. */
export async function loadBegunHere(tx: WorkspaceTx, id: MessageId): Promise<BegunHere | null> {
  const [row] = await tx.query<BegunHere>(
    `SELECT m.created_at AS "createdAt", a.name AS "accountName", m.author, left(m.text, 200) AS text,
       v.address->0->>'value' AS customer
     FROM messages m JOIN accounts a ON a.workspace_id = $1 AND a.id = m.account_id
     JOIN conversations v ON v.workspace_id = $1 AND v.id = m.conversation_id
     JOIN contacts c ON c.workspace_id = $1 AND c.id = v.contact_id
     WHERE m.workspace_id = $1 AND m.id = $2 AND (v.group_id IS NOT NULL OR c.deleted_at IS NULL)`,
    [tx.workspaceId, id],
  );
  return row ?? null;
}
