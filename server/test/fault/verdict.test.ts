/** The judgement of a fault run: what is wrong in the database, or with the provider, must be counted and break something. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type AfterRun, type Judgement, openRuns } from './verdict-world.ts';

let runs: Awaited<ReturnType<typeof openRuns>>;
beforeAll(async () => {
  runs = await openRuns();
});
afterAll(() => runs.close());

const messages = 5;

it('finds nothing where all went well', () =>
  runs.after(messages, async (run) => {
    const { counts, broken, subjects } = await run.judge();
    expect({ counts, broken }).toEqual({ counts: {}, broken: [] });
    expect(subjects).toMatchObject({ heard: messages, turns: messages, took: messages, told: messages, limited: 0 });
  }));

type Spoil = (run: AfterRun) => unknown;
type Found = Pick<Judgement, 'counts' | 'broken'>;

/** The second message's, unless another is named. */
const second = (run: AfterRun) => run.exchanges[1]!;
const dropReply: Spoil = async (run) => {
  run.sends.splice(1, 1);
  await run.ask('DELETE FROM attempts WHERE outbound_id = $1', [second(run).outboundId]);
  await run.ask('DELETE FROM outbox WHERE id = $1', [second(run).outboundId]);
};
const setOutcome = (run: AfterRun, outcome: string) =>
  run.ask('UPDATE turns SET outcome = $2 WHERE id = $1', [second(run).turnId, outcome]);
const setState = (run: AfterRun, state: string) =>
  run.ask('UPDATE outbox SET state = $2 WHERE id = $1', [second(run).outboundId, state]);
const setAttempt = (run: AfterRun, outcome: string, isCertain: boolean, more: object = {}) =>
  run.ask('UPDATE attempts SET outcome = $2, failure = $3 WHERE id = $1', [
    second(run).attemptId,
    outcome,
    { isCertain, ...more },
  ]);
/** The provider took the replies in this order; 6: what was tried again. */
function takeInOrder(run: AfterRun, order: readonly number[]): void {
  const sends = order.map((n, index) => ({ ...run.sends[n - 1]!, seq: index + 1 }));
  run.sends.splice(0, run.sends.length, ...sends);
}
const settleInOrder = async (run: AfterRun, order: readonly number[]) => {
  for (const [index, n] of order.entries())
    await run.ask(`UPDATE events SET settled_at = to_timestamp($2) WHERE id = $1`, [
      run.exchanges[n - 1]!.eventId,
      index,
    ]);
};
const sendTwice = (rule: string): Spoil => {
  return async (run) => {
    await run.addTry(second(run), { number: 2 });
    takeInOrder(run, [1, 2, 6, 3, 4, 5]);
    await run.ask('UPDATE outbox SET is_possible_duplicate = true, attempts = 2, repeat_rule = $2 WHERE id = $1', [
      second(run).outboundId,
      rule,
    ]);
  };
};
const leaveInDoubt: Spoil = async (run) => {
  await setState(run, 'uncertain');
  await setAttempt(run, 'uncertain', false);
  await run.ask(`UPDATE messages SET status = 'uncertain', provider_message_id = NULL WHERE id = $1`, [
    second(run).messageId,
  ]);
};

/** Of two requests that are no messages, and were answered 200, one lies in the inbox. */
const ackOthers: Spoil = (run) => {
  const [known, other] = [run.acked[0]!, run.acked[1]!];
  run.acked.push({ ...known, kind: 'other', id: 'hostile.1' });
  run.acked.push({ ...other, kind: 'other', id: 'hostile.2', sha: other.sha.replaceAll(/./g, 'a') });
};

const cases: readonly (readonly [name: string, spoil: Spoil, found: Found])[] = [
  ['bytes that were answered 200 and are not stored', ackOthers, { counts: { notStored: 1 }, broken: ['I1'] }],
  [
    'a message that was handled and has no turn',
    (run) => run.ask('DELETE FROM turns WHERE id = $1', [second(run).turnId]),
    { counts: { withoutTurn: 1, strayReplies: 1 }, broken: ['I2', 'I3'] },
  ],
  ['a reply that was never queued', dropReply, { counts: { unanswered: 1 }, broken: ['I2'] }],
  [
    'a turn that was silent for a reason of its own',
    async (run) => {
      await dropReply(run);
      await setOutcome(run, 'silent: with-a-person');
    },
    { counts: { unanswered: 1 }, broken: ['I2'] },
  ],
  [
    'nothing wrong with the one answer too many in a minute',
    async (run) => {
      await dropReply(run);
      await setOutcome(run, 'silent: rate-limited');
    },
    { counts: {}, broken: [] },
  ],
  [
    'a reply that was given up as refused',
    async (run) => {
      run.sends.splice(1, 1);
      await setState(run, 'refused');
    },
    { counts: { unanswered: 1, unsent: 1 }, broken: ['I2'] },
  ],
  [
    'a reply that is held back',
    async (run) => {
      run.sends.splice(1, 1);
      await setState(run, 'held');
    },
    { counts: { unanswered: 1, unsent: 1 }, broken: ['I2'] },
  ],
  [
    'a second copy against the rule, flagged as it is',
    sendTwice('never-twice'),
    { counts: { doubleSends: 1, unflaggedDoubleSends: 1 }, broken: ['I4'] },
  ],
  ['no fault of a second copy by the rule', sendTwice('rather-twice'), { counts: { doubleSends: 1 }, broken: [] }],
  [
    'two replies that were overtaken, past one that was in doubt and may be',
    async (run) => {
      takeInOrder(run, [1, 5, 2, 3, 4]);
      await setAttempt(run, 'sent', false);
    },
    { counts: { sendsOutOfOrder: 2 }, broken: ['I5'] },
  ],
  [
    'a reply that was overtaken while it was to be tried again',
    async (run) => {
      await run.addTry(second(run), { number: 2 });
      takeInOrder(run, [1, 3, 4, 5, 6]);
      await setAttempt(run, 'unreachable', true);
    },
    { counts: { sendsOutOfOrder: 1 }, broken: ['I5'] },
  ],
  [
    'nothing wrong with a reply that was overtaken in doubt, and had not left after all',
    async (run) => {
      await run.addTry(second(run), { number: 2 });
      takeInOrder(run, [1, 3, 4, 5, 6]);
      await setAttempt(run, 'unreachable', true, { wasInDoubt: true });
    },
    { counts: {}, broken: [] },
  ],
  [
    'a reply in doubt that was overtaken before its wait was over',
    async (run) => {
      takeInOrder(run, [1, 3, 2, 4, 5]);
      await setAttempt(run, 'uncertain', false);
      await run.ask('UPDATE attempts SET ended_at = now() WHERE id = $1', [second(run).attemptId]);
    },
    { counts: { sendsOutOfOrder: 1 }, broken: ['I5'] },
  ],
  [
    'turns out of order, past one in between',
    (run) => settleInOrder(run, [5, 1, 2, 3, 4]),
    { counts: { turnsOutOfOrder: 4 }, broken: ['I5'] },
  ],
  [
    'turns of one customer out of order in two threads',
    async (run) => {
      await settleInOrder(run, [2, 1, 3, 4, 5]);
      const other = 'gen_random_uuid()';
      await run.ask(`UPDATE events SET conversation_id = ${other} WHERE id = $1`, [second(run).eventId]);
    },
    { counts: { splitConversations: 1, turnsOutOfOrder: 1 }, broken: ['I5'] },
  ],
  [
    'a send left in doubt though its receipt was answered',
    leaveInDoubt,
    { counts: { uncertain: 1, doubtedThoughTold: 1, statusesBehind: 1 }, broken: ['I6'] },
  ],
  [
    'nothing wrong with a send in doubt that nobody took',
    async (run) => {
      await leaveInDoubt(run);
      run.sends.splice(1, 1);
      run.receipts.delete(second(run).providerMessageId);
    },
    { counts: { uncertain: 1 }, broken: [] },
  ],
  [
    'a status that was told last and never applied',
    (run) => run.ask(`UPDATE messages SET status = 'delivered' WHERE id = $1`, [second(run).messageId]),
    { counts: { statusesBehind: 1 }, broken: ['I6'] },
  ],
  [
    'receipts of which the ledger has no answer',
    (run) => {
      run.receipts.set(second(run).providerMessageId, 2);
      run.receipts.delete(run.exchanges[2]!.providerMessageId);
    },
    { counts: { untold: 2 }, broken: ['I6'] },
  ],
];

it.for(cases)('finds %s', ([, spoil, found]) =>
  runs.after(messages, async (run) => {
    await spoil(run);
    const { counts, broken } = await run.judge();
    expect({ counts, broken }).toEqual(found);
  }),
);
