/** What the hostile run would say of a database and a ledger that are spoilt in one place each. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { newId } from '#kernel';
import { type Ask, judgeHostile } from '../../../tools/fault/runs/hostile/judgement.ts';
import { senders } from '../../../tools/fault/runs/hostile/request.ts';
import { Expected } from '../../../tools/fault/runs/hostile/teller.ts';
import { type AfterRun, openRuns } from './verdict-world.ts';

let runs: Awaited<ReturnType<typeof openRuns>>;
beforeAll(async () => {
  runs = await openRuns();
});
afterAll(() => runs.close());

const workspaceId = newId('workspace');
const contactId = newId('contact');
const known = 'wamid.known';

const putMessage = (run: AfterRun, id: string) =>
  run.ask(
    `INSERT INTO messages (workspace_id, id, conversation_id, account_id, direction, author, type, content,
       provider_message_id, occurred_at, status)
     VALUES ($1, $2, $3, $4, 'in', 'customer', 'text', '{}', $5, now(), 'received')`,
    [workspaceId, newId('message'), newId('conversation'), newId('account'), id],
  );
const putLetter = (run: AfterRun, reason: string) =>
  run.ask(
    `INSERT INTO dead_letters (workspace_id, id, delivery_id, reason, detail, path) VALUES ($1, $2, $3, $4, '', '')`,
    [workspaceId, newId('deadLetter'), newId('delivery'), reason],
  );
const putContact = (run: AfterRun, number: string) =>
  run.ask(`INSERT INTO identities (workspace_id, kind, value, contact_id) VALUES ($1, 'phone', $2, $3)`, [
    workspaceId,
    `+${number}`,
    contactId,
  ]);
const putDelivery = (run: AfterRun, body: string) =>
  run.ask(
    `INSERT INTO deliveries (workspace_id, id, provider, route_kind, method, target, headers, body, received_at)
     VALUES ($1, $2, 'meta', 'token', 'POST', '/', '{}', convert_to($3, 'UTF8'), now())`,
    [workspaceId, newId('delivery'), body],
  );

/** As it should be: a message that is there once, and one foreign part; more letters of other workspaces count for nothing. */
async function judged(spoil: (run: AfterRun) => unknown): Promise<string[]> {
  const expected = new Expected();
  for (let copy = 0; copy < 2; copy += 1) expected.note({ takes: [known] });
  expected.note({ setsAside: 'foreign-account' });
  let found: string[] = [];
  await runs.after(1, async (run) => {
    await putMessage(run, known);
    await putLetter(run, 'foreign-account');
    await putContact(run, senders.odd);
    await putDelivery(run, senders.foreign);
    await spoil(run);
    const ask = (async (text, values) => ((await run.ask(text, values)) as { rows: never[] }).rows) as Ask;
    found = await judgeHostile(ask, run.sends, { expected, workspaceId });
  });
  return found;
}

it('finds nothing where nothing is wrong', async () => {
  expect(await judged(() => undefined)).toEqual([]);
});

it.each<[string, (run: AfterRun) => unknown, string]>([
  [
    'a sound message that had no effect',
    (run) => run.ask('DELETE FROM messages'),
    `${known} was authentic, and is there 0 times`,
  ],
  ['one that had its effect twice', (run) => putMessage(run, known), `${known} was authentic, and is there 2 times`],
  [
    'a foreign part that was not set aside',
    (run) => run.ask('DELETE FROM dead_letters'),
    '0 parts were set aside as foreign-account, not 1',
  ],
  ['more set aside than deserved it', (run) => putLetter(run, 'failed'), '1 parts were set aside as failed, not 0'],
  [
    'a reason that nobody asked for',
    (run) => putLetter(run, 'unknown-account'),
    '1 parts were set aside as unknown-account, not 0',
  ],
  [
    'a refused request that is stored',
    (run) => putDelivery(run, `"from":"${senders.forged}"`),
    '1 requests were refused, and stored',
  ],
  [
    'a contact by a refused request',
    (run) => putContact(run, senders.forged),
    'whoever wrote what was refused became a contact, 1 times',
  ],
  [
    "a contact by another's message",
    (run) => putContact(run, senders.foreign),
    "whoever wrote what is another's became a contact, 1 times",
  ],
  [
    'a reply to a stranger',
    (run) => run.sends.push({ ...run.sends[0]!, customer: `+${senders.forged}` }),
    'the provider was given 1 messages to strangers',
  ],
])('finds %s', async (_name, spoil, words) => {
  expect(await judged(spoil)).toEqual([words]);
});
