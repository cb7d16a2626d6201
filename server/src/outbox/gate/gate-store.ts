/** SQL of the gate: what was let through today, which numbers were looked up, and why a message is held. */
import type { AccountId, Failure, MessageId } from '@switchyard/contract';
import type { WorkspaceTx } from '#storage';

export interface GateAccount {
  readonly ageDays: number;
  readonly workspaceTimeZone: string | null;
}

export async function findGateAccount(tx: WorkspaceTx, accountId: AccountId): Promise<GateAccount> {
  const [row] = await tx.query<GateAccount & Record<string, unknown>>(
    `SELECT (extract(epoch FROM now() - a.created_at) / 86400)::float8 AS "ageDays",
            w.settings->>'timeZone' AS "workspaceTimeZone"
       FROM accounts a JOIN workspaces w ON w.workspace_id = a.workspace_id
      WHERE a.workspace_id = $1 AND a.id = $2`,
    [tx.workspaceId, accountId],
    'gate-account',
  );
  return row ?? { ageDays: 0, workspaceTimeZone: null };
}

/** Holds the day's row until the end of the transaction: of two processes the second counts on from the first. */
export async function lockDay(tx: WorkspaceTx, accountId: AccountId, day: string): Promise<number> {
  await tx.query(
    `INSERT INTO send_days (workspace_id, account_id, day, taken) VALUES ($1, $2, $3::date, 0) ON CONFLICT DO NOTHING`,
    [tx.workspaceId, accountId, day],
    'gate-day-make',
  );
  const [row] = await tx.query<{ taken: number }>(
    'SELECT taken FROM send_days WHERE workspace_id = $1 AND account_id = $2 AND day = $3::date FOR UPDATE',
    [tx.workspaceId, accountId, day],
    'gate-day-lock',
  );
  return row?.taken ?? 0;
}

export async function setDay(tx: WorkspaceTx, accountId: AccountId, day: string, taken: number): Promise<void> {
  await tx.query(
    'UPDATE send_days SET taken = $4 WHERE workspace_id = $1 AND account_id = $2 AND day = $3::date',
    [tx.workspaceId, accountId, day, taken],
    'gate-day-set',
  );
}

/** Answers no older than `maxAgeDays`. */
export async function findChecks(
  tx: WorkspaceTx,
  accountId: AccountId,
  phones: readonly string[],
  maxAgeDays: number,
): Promise<ReadonlyMap<string, boolean>> {
  const rows = await tx.query<{ phone: string; isOnWhatsApp: boolean }>(
    `SELECT phone, is_on_whatsapp AS "isOnWhatsApp" FROM number_checks
      WHERE workspace_id = $1 AND account_id = $2 AND phone = ANY($3::text[])
        AND checked_at > now() - $4 * interval '1 day'`,
    [tx.workspaceId, accountId, phones, maxAgeDays],
    'gate-checks-find',
  );
  return new Map(rows.map(({ phone, isOnWhatsApp }) => [phone, isOnWhatsApp]));
}

/** In the order of the numbers, so that two processes cannot wait for each other. */
export async function keepChecks(
  tx: WorkspaceTx,
  accountId: AccountId,
  checks: readonly { readonly phone: string; readonly isOnWhatsApp: boolean }[],
): Promise<void> {
  await tx.query(
    `INSERT INTO number_checks (workspace_id, account_id, phone, is_on_whatsapp)
       SELECT $1, $2, c.phone, c.is_on_whatsapp
         FROM unnest($3::text[], $4::boolean[]) AS c (phone, is_on_whatsapp) ORDER BY c.phone
     ON CONFLICT (workspace_id, account_id, phone)
       DO UPDATE SET is_on_whatsapp = EXCLUDED.is_on_whatsapp, checked_at = now()`,
    [tx.workspaceId, accountId, checks.map(({ phone }) => phone), checks.map(({ isOnWhatsApp }) => isOnWhatsApp)],
    'gate-checks-keep',
  );
}

/** Since when those of the messages that are held by this reason are held by it, as the reason itself tells. */
export async function findHeldSince(
  tx: WorkspaceTx,
  messageIds: readonly MessageId[],
  code: string,
): Promise<ReadonlyMap<MessageId, string>> {
  const rows = await tx.query<{ messageId: MessageId; since: string }>(
    `SELECT id AS "messageId", error->'facts'->>'since' AS since FROM messages
      WHERE workspace_id = $1 AND id = ANY($2::uuid[]) AND error->>'code' = $3 AND error->'facts' ? 'since'`,
    [tx.workspaceId, messageIds, code],
    'gate-held-since',
  );
  return new Map(rows.map(({ messageId, since }) => [messageId, since]));
}

/** Gives those whose reason is another than before: only these are news. */
export function noteHeld(
  tx: WorkspaceTx,
  held: readonly { readonly messageId: MessageId; readonly reason: Failure }[],
): Promise<{ messageId: MessageId }[]> {
  return tx.query<{ messageId: MessageId }>(
    `UPDATE messages m SET error = h.reason FROM unnest($2::uuid[], $3::jsonb[]) AS h (id, reason)
      WHERE m.workspace_id = $1 AND m.id = h.id AND m.status = 'queued' AND m.error IS DISTINCT FROM h.reason
      RETURNING m.id AS "messageId"`,
    [tx.workspaceId, held.map(({ messageId }) => messageId), held.map(({ reason }) => JSON.stringify(reason))],
    'gate-note-held',
  );
}
