/** A small database after a run in which all went well, and what the other two witnesses say of it: for a test to spoil. */
import { createHash } from 'node:crypto';
import pg from 'pg';
import { newId } from '#kernel';
import { countCases } from '../../../tools/fault/check/check.ts';
import { type CountName, counts as countStatements } from '../../../tools/fault/check/counts.ts';
import { type InvariantName, invariantNames, invariantsOf, type Subjects } from '../../../tools/fault/check/verdict.ts';
import type { Acked } from '../../../tools/fault/load/order.ts';
import type { LedgerSend } from '../../../tools/fault/stage/stand-in.ts';
import { testDatabase } from '../support/database.ts';

/** What the customer wrote as their nth message, and all that came of it. */
export interface Exchange {
  readonly n: number;
  readonly eventId: string;
  readonly turnId: string;
  readonly messageId: string;
  readonly outboundId: string;
  readonly attemptId: string;
  /** Of our reply. */
  readonly providerMessageId: string;
}

export interface AfterRun {
  readonly exchanges: readonly Exchange[];
  readonly sends: LedgerSend[];
  readonly receipts: Map<string, number>;
  readonly acked: Acked[];
  ask(text: string, values?: readonly unknown[]): Promise<unknown>;
  /** One more try of this reply, which the provider took after all others. */
  addTry(of: Exchange, facts: { readonly number: number }): Promise<void>;
  /** Only what is not as it should be. */
  judge(): Promise<Judgement>;
}

export interface Judgement {
  readonly counts: Partial<Record<CountName, number>>;
  readonly broken: readonly InvariantName[];
  readonly subjects: Subjects;
}

const shop = { workspaceId: newId('workspace'), accountId: newId('account'), number: '+15550100201' };
const sender = '4915500000000';
const conversationId = newId('conversation');
const contactId = newId('contact');
const startMs = Date.UTC(2026, 0, 1);

/** Each `after` is undone when it ends. */
export async function openRuns() {
  const db = await testDatabase();
  const client = new pg.Client({ connectionString: db.superuserUrl, options: '-c search_path=switchyard' });
  await client.connect();
  return {
    async after(messages: number, test: (run: AfterRun) => Promise<void>): Promise<void> {
      await client.query(`BEGIN; SET LOCAL session_replication_role = 'replica'`);
      try {
        await test(await playRun(client, messages));
      } finally {
        await client.query('ROLLBACK');
      }
    },
    async close(): Promise<void> {
      await client.end();
      await db.close();
    },
  };
}

async function playRun(client: pg.Client, messages: number): Promise<AfterRun> {
  const { workspaceId: workspace_id, accountId: account_id, number } = shop;
  const put = (table: string, row: object) => insert(client, table, { workspace_id, ...row });
  await put('conversations', { id: conversationId, account_id, contact_id: contactId });
  await put('identities', { kind: 'phone', value: `+${sender}`, contact_id: contactId });
  const sends: LedgerSend[] = [];
  const receipts = new Map<string, number>();
  const acked: Acked[] = [];
  const exchanges: Exchange[] = [];
  const addTry = async (of: Exchange, facts: { number: number; attemptId?: string }) => {
    const { attemptId = newId('attempt') } = facts;
    const seq = sends.length + 1;
    const tried = { id: attemptId, outbound_id: of.outboundId, account_id, number: facts.number };
    await put('attempts', { ...tried, outcome: 'sent', milliseconds: 5, ended_at: new Date(startMs) });
    sends.push({
      ...{ seq, number, customer: sender, messageId: of.providerMessageId, correlation: attemptId, text: '' },
    });
  };
  for (let n = 1; n <= messages; n += 1) {
    const one = await exchangeOf(put, n);
    exchanges.push(one);
    await addTry(one, { number: 1, attemptId: one.attemptId });
    receipts.set(one.providerMessageId, 3);
    acked.push(ackedOf(n));
  }
  return {
    ...{ exchanges, sends, receipts, acked, addTry },
    ask: (text, values = []) => client.query(text, [...values]),
    judge: () => judge(client, { acked, provider: { sends, receipts }, shops: [shop] }),
  };
}

type Put = (table: string, row: object) => Promise<void>;

async function exchangeOf(put: Put, n: number): Promise<Exchange> {
  const at = new Date(startMs + n * 1_000);
  const [eventId, turnId, attemptId] = [newId('event'), newId('turn'), newId('attempt')];
  const [deliveryId, messageId, outboundId] = [newId('delivery'), newId('message'), newId('outbound')];
  const providerMessageId = `wamid.reply.${n}`;
  const place = { conversation_id: conversationId, account_id: shop.accountId };
  await put('deliveries', {
    ...{ id: deliveryId, account_id: shop.accountId, provider: 'meta', route_kind: 'token', method: 'POST' },
    ...{ target: '/', headers: '{}', body: bodyOf(n), received_at: at },
  });
  await put('events', {
    ...{ id: eventId, delivery_id: deliveryId, ...place, ordinal: 0, kind: 'message', type: 'text', key: idOf(n) },
    ...{ payload: '{}', received_at: at, position: n, after_position: n - 1, state: 'handled', turn_id: turnId },
    settled_at: at,
  });
  await put('turns', {
    ...{ id: turnId, conversation_id: conversationId, event_id: eventId, outcome: 'answered: demo/menu' },
    milliseconds: 1,
  });
  await put('messages', {
    ...{ id: messageId, ...place, direction: 'out', author: 'bot', type: 'text', content: '{}', turn_id: turnId },
    ...{ provider_message_id: providerMessageId, status: 'read', occurred_at: at },
  });
  await put('outbox', {
    ...{ id: outboundId, ...place, message_id: messageId, turn_id: turnId, ordinal: n, content: '{}' },
    ...{ state: 'sent', attempts: 1, attempt_id: attemptId, provider_message_id: providerMessageId },
  });
  return { n, eventId, turnId, messageId, outboundId, attemptId, providerMessageId };
}

const idOf = (n: number) => `wamid.heard.${n}`;
const bodyOf = (n: number) => Buffer.from(`body ${n}`);

function ackedOf(n: number): Acked {
  const sha = createHash('sha256').update(bodyOf(n)).digest('hex');
  const times = { firstMs: startMs + n, ackedMs: startMs + n, tries: 1, port: 1 };
  return { id: idOf(n), kind: 'message', target: 0, from: sender, n, sha, ...times };
}

async function insert(client: pg.Client, table: string, row: Readonly<Record<string, unknown>> | object) {
  const [names, values] = [Object.keys(row), Object.values(row)];
  const places = names.map((_, index) => `$${index + 1}`).join(', ');
  await client.query(`INSERT INTO ${table} (${names.join(', ')}) VALUES (${places})`, values);
}

async function judge(client: pg.Client, witnesses: Parameters<typeof countCases>[1]): Promise<Judgement> {
  const { counts, subjects } = await countCases(client, witnesses);
  const evidence = { counts, subjects, leakedRows: 0, secretsInLogs: 0, logLines: 1, isDrained: true };
  const invariants = invariantsOf(evidence);
  const names = Object.keys(countStatements) as CountName[];
  return {
    counts: Object.fromEntries(names.flatMap((name) => (counts[name] === 0 ? [] : [[name, counts[name]]]))),
    broken: invariantNames.filter((name) => invariants[name] === false),
    subjects,
  };
}
