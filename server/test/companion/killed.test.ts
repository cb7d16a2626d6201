/** A companion's process that is killed, in the middle of a pairing and of a connected session: another takes over, once. */
import type { AccountId } from '@switchyard/contract';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { anywhere, defaultSendTimeouts, webjsChannel } from '#channels';
import { newId } from '#kernel';
import type { Customer } from '../../../companion/test/customer.ts';
import type { CompanionProcess } from './companion-process.ts';
import { type CompanionWorld, eventually, openCompanionWorld } from './world.ts';

let world: CompanionWorld;
let accountId: AccountId;
let customer: Customer;
let machine: CompanionProcess;
const number = '14155550106';
/** Long enough that a busy machine does not lose it by itself, short enough to wait for. */
const leaseMs = 3_000;
/** A busy machine is slow at starting programs and at making keys. */
vi.setConfig({ testTimeout: 90_000 });

beforeAll(async () => {
  world = await openCompanionWorld();
  customer = world.stand.addCustomer('15550003333');
  accountId = await world.addSession('first');
  machine = await world.startProcess(leaseMs);
}, 90_000);
afterAll(() => world.close());

interface LeaseRow extends Record<string, unknown> {
  readonly epoch: string;
  readonly holder: string;
  readonly leasedUntil: Date;
  readonly acquiredAt: Date;
}

async function lease(): Promise<LeaseRow> {
  const [row] = await world.server.db.ownerQuery<LeaseRow>(
    `SELECT epoch, holder, leased_until AS "leasedUntil", acquired_at AS "acquiredAt"
     FROM companion_leases WHERE account_id = $1`,
    [accountId],
  );
  if (!row) throw new Error('nobody holds a lease');
  return row;
}

/** By SIGKILL: it says nothing to anybody. The next one must wait until the lease has run out, and gets a higher fence. */
async function killAndReplace(nextLeaseMs: number): Promise<{ readonly left: LeaseRow; taken(): Promise<LeaseRow> }> {
  await machine.kill();
  const left = await lease();
  machine = await world.startProcess(nextLeaseMs);
  const taken = () =>
    eventually(async () => {
      const now = await lease();
      expect(now.holder).not.toBe(left.holder);
      return now;
    });
  return { left, taken };
}

function expectTakenAfter(left: LeaseRow, now: LeaseRow): void {
  expect(Number(now.epoch)).toBeGreaterThan(Number(left.epoch));
  expect(now.acquiredAt.getTime()).toBeGreaterThanOrEqual(left.leasedUntil.getTime());
}

const codeShown = (not: string | null) =>
  eventually(async () => {
    const code = await world.codeOf(accountId);
    expect(code).toMatch(/2@/);
    expect(code).not.toBe(not);
    return code!;
  });

function send(text: string, attemptId: ReturnType<typeof newId<'attempt'>>) {
  const request = {
    attemptId,
    to: [{ kind: 'phone', value: `+${customer.digits}` }],
    content: { type: 'text', text },
  } as const;
  const network = { baseUrl: machine.url, timeouts: defaultSendTimeouts, reach: anywhere };
  const account = { credentials: { apiKey: 'key of first' }, settings: { session: 'first' } };
  return webjsChannel.send(account, request, { ...network, signal: new AbortController().signal });
}

it('in the middle of a pairing: the next shows a code of its own, which links the phone', async () => {
  await world.server.pairing.regenerateQr(world.workspaceId, accountId, 'test');
  const first = await codeShown(null);
  expect(await world.statusOf(accountId)).toMatchObject({ status: 'connecting' });
  const { left, taken } = await killAndReplace(leaseMs);
  expectTakenAfter(left, await taken());
  const second = await codeShown(first);
  expect(await world.statusOf(accountId)).toMatchObject({ status: 'connecting' });
  world.stand.scan(second, number);
  await eventually(async () => expect(await world.statusOf(accountId)).toMatchObject({ status: 'connected' }));
});

it('in the middle of its sends: the next sends what is repeated under the same ids, so that nobody gets a message twice', async () => {
  const wishes = Array.from({ length: 6 }, (_, n) => ({ text: `Number ${n}`, attemptId: newId('attempt') }));
  const asked = wishes.map(({ text, attemptId }) => send(text, attemptId));
  const outcomes = Promise.all(asked);
  await world.stand.until(() => world.stand.taken.length >= 2);
  const { left, taken } = await killAndReplace(60_000);
  const first = await outcomes;
  expectTakenAfter(left, await taken());
  // No code is needed: the keys are the server's.
  await eventually(async () => expect(await world.statusOf(accountId)).toMatchObject({ status: 'connected' }));
  await eventually(() => expect(world.stand.isOpen(number)).toBe(true));
  for (const [n, { text, attemptId }] of wishes.entries()) {
    if (first[n]?.kind !== 'sent')
      await eventually(async () => expect(await send(text, attemptId)).toMatchObject({ kind: 'sent' }));
  }
  const ids = () => new Set(world.stand.taken);
  await world.stand.until(() => ids().size >= wishes.length);
  // An id is made of its attempt's, and one id is one message to WhatsApp, however often it comes.
  expect([...ids()].sort()).toEqual(wishes.map(({ attemptId }) => idOf(attemptId)).sort());
  const texts = world.stand.received.map(({ message }) => message.extendedTextMessage?.text ?? message.conversation);
  expect(new Set(texts).size).toBe(texts.length);
});

const idOf = (attemptId: string) => attemptId.replaceAll('-', '').toUpperCase();

it('leaves a session that takes what customers write, once', async () => {
  await world.stand.write(customer, number, 'Still there?', 'AFTERKILL0001');
  const came = () =>
    world.delivered
      .flatMap(({ events }) => events)
      .filter((event) => event.kind === 'message' && event.providerMessageId === 'AFTERKILL0001');
  await eventually(() => expect(came().length).toBeGreaterThan(0));
  expect(came()).toHaveLength(1);
  expect(world.delivered.every(({ isVerified }) => isVerified)).toBe(true);
});
