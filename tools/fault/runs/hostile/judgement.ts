/** What the hostile requests have led to, by the database and by the provider's ledger: nothing, but where it was authentic and ours. */
import type { LedgerSend } from '../../stage/stand-in.ts';
import { type LetterReason, senders } from './request.ts';
import type { Expected } from './teller.ts';

/** As the superuser. */
export type Ask = <Row extends Record<string, unknown>>(text: string, values: readonly unknown[]) => Promise<Row[]>;

export async function judgeHostile(
  ask: Ask,
  sends: readonly LedgerSend[],
  facts: { readonly expected: Expected; readonly workspaceId: string },
): Promise<string[]> {
  return [
    ...(await judgeEffects(ask, facts.expected)),
    ...(await judgeLetters(ask, facts)),
    ...(await judgeForged(ask)),
    ...(await judgeStrangers(ask)),
    ...judgeSends(sends),
  ];
}

/** Authentic and ours: each one message, whatever stood around it and however often it came. */
async function judgeEffects(ask: Ask, { takes }: Expected): Promise<string[]> {
  const rows = await ask<{ id: string; count: string }>(
    `SELECT provider_message_id AS id, count(*) FROM messages WHERE direction = 'in' AND provider_message_id = ANY($1)
     GROUP BY provider_message_id`,
    [[...takes]],
  );
  const counts = new Map(rows.map(({ id, count }) => [id, Number(count)]));
  return [...takes].flatMap((id) => {
    const count = counts.get(id) ?? 0;
    return count === 1 ? [] : [`${id} was authentic, and is there ${count} times`];
  });
}

async function judgeLetters(
  ask: Ask,
  { expected, workspaceId }: { readonly expected: Expected; readonly workspaceId: string },
): Promise<string[]> {
  const rows = await ask<{ reason: string; count: string }>(
    'SELECT reason, count(*) FROM dead_letters WHERE workspace_id = $1 GROUP BY reason',
    [workspaceId],
  );
  const found = new Map(rows.map(({ reason, count }) => [reason, Number(count)]));
  const reasons = new Set([...Object.keys(expected.letters), ...found.keys()]);
  return [...reasons].flatMap((reason) => {
    const [wanted, there] = [expected.letters[reason as LetterReason] ?? 0, found.get(reason) ?? 0];
    return wanted === there ? [] : [`${there} parts were set aside as ${reason}, not ${wanted}`];
  });
}

/** Refused: not even stored. */
async function judgeForged(ask: Ask): Promise<string[]> {
  const [row] = await ask<{ count: string }>(
    `SELECT count(*) FROM deliveries WHERE position(convert_to($1, 'UTF8') IN body) > 0 OR position($1 IN target) > 0`,
    [senders.forged],
  );
  return Number(row?.count) > 0 ? [`${row?.count} requests were refused, and stored`] : [];
}

async function judgeStrangers(ask: Ask): Promise<string[]> {
  const failures: string[] = [];
  for (const [what, number] of [
    ['was refused', senders.forged],
    ["is another's", senders.foreign],
  ]) {
    const rows = await ask('SELECT 1 FROM identities WHERE position($1 IN value) > 0', [number]);
    if (rows.length > 0) failures.push(`whoever wrote what ${what} became a contact, ${rows.length} times`);
  }
  return failures;
}

function judgeSends(sends: readonly LedgerSend[]): string[] {
  const strangers: string[] = [senders.forged, senders.foreign];
  const answered = sends.filter(({ customer }) => strangers.includes(customer.replace(/\D/g, '')));
  return answered.length > 0 ? [`the provider was given ${answered.length} messages to strangers`] : [];
}
