import type { ChannelName, ContactId } from '@switchyard/contract';
import type { Row, WorkspaceTx } from '#storage';
import type { ConsentChoice, ConsentTopic, NewConsent } from './conversations.ts';
import { storableText } from './storable.ts';

/** The ledger is only ever added to: the latest entry counts, the others show how it came about. */
export async function recordConsent(tx: WorkspaceTx, id: string, consent: NewConsent): Promise<void> {
  await tx.query(
    `INSERT INTO consents (workspace_id, id, contact_id, channel, topic, choice, source, evidence, at)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
    [
      tx.workspaceId,
      id,
      consent.contactId,
      consent.channel,
      consent.topic,
      consent.choice,
      consent.source,
      consent.evidence === undefined ? null : storableText(consent.evidence),
      consent.at,
    ],
    'conversations_record_consent',
  );
}

export async function findConsent(
  tx: WorkspaceTx,
  contactId: ContactId,
  channel: ChannelName,
  topic: ConsentTopic,
): Promise<ConsentChoice | null> {
  const [row] = await tx.query<Row & { choice: ConsentChoice }>(
    `SELECT choice FROM consents WHERE workspace_id = $1 AND contact_id = $2 AND channel = $3 AND topic = $4
      ORDER BY at DESC, id DESC LIMIT 1`,
    [tx.workspaceId, contactId, channel, topic],
    'conversations_find_consent',
  );
  return row?.choice ?? null;
}
