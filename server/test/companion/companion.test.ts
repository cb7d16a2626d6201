/** The companion with the real library between a real server and WhatsApp's stand-in. */
import { type AccountId, type InboundEvent, type OutboundContent, toPublicId } from '@switchyard/contract';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { anywhere, defaultSendTimeouts, type SendingAccount, type SendRequest, webjsChannel } from '#channels';
import { newId } from '#kernel';
import type { Customer } from '../../../companion/test/customer.ts';
import { type FileServer, startFileServer } from './file-server.ts';
import { type CompanionWorld, eventually, type Machine, openCompanionWorld } from './world.ts';

let world: CompanionWorld;
let machine: Machine;
let accountId: AccountId;
let customer: Customer;
let files: FileServer;
const number = '14155550105';
/** A busy machine is slow at making keys. */
vi.setConfig({ testTimeout: 60_000 });

/** Back-off at the pace of a test. */
const hasty = { firstWaitMs: 20, maxWaitMs: 200, loopCloses: 5, loopWindowMs: 600_000, goodMs: 60_000 };

beforeAll(async () => {
  world = await openCompanionWorld();
  customer = world.stand.addCustomer('15550001111');
  accountId = await world.addSession('first');
  files = await startFileServer();
  machine = await world.startMachine({ reconnect: hasty }, 60_000, files.host);
});
afterAll(async () => {
  await world.close();
  await files.close();
});

const events = (): readonly InboundEvent[] => world.delivered.flatMap((delivery) => delivery.events);
const expectStatus = (id: AccountId, status: string, reason?: string | RegExp) =>
  eventually(async () => {
    const now = await world.statusOf(id);
    expect(now).toMatchObject({ status });
    if (reason !== undefined) expect(now.reason).toMatch(reason);
  });
const codeShown = (id: AccountId) =>
  eventually(async () => {
    const code = await world.codeOf(id);
    expect(code).toMatch(/^(https:\/\/wa\.me\/settings\/linked_devices#)?2@/);
    return code!;
  });

async function link(id: AccountId, digits: string): Promise<void> {
  await world.server.pairing.regenerateQr(world.workspaceId, id, 'test');
  const code = await codeShown(id);
  world.stand.scan(code, digits);
  await expectStatus(id, 'connected');
}

const first: SendingAccount = { credentials: { apiKey: 'key of first' }, settings: { session: 'first' } };

const send = (to: string, text: string, attemptId = newId('attempt'), account = first) =>
  sendContent(to, { type: 'text', text }, attemptId, account);

function sendContent(to: string, content: OutboundContent, attemptId = newId('attempt'), account = first) {
  const request: SendRequest = { attemptId, to: [{ kind: 'phone', value: to }], content };
  const network = {
    baseUrl: machine.url,
    timeouts: defaultSendTimeouts,
    reach: anywhere,
    signal: new AbortController().signal,
  };
  return { attemptId, outcome: webjsChannel.send(account, request, network) };
}

describe('a session', () => {
  it('runs nowhere before a person asks for it', async () => {
    expect(machine.companion.sessions).toEqual([]);
    expect(world.stand.connections).toBe(0);
  });

  it('is linked by the code that the server shows, and keeps its keys sealed there', async () => {
    await link(accountId, number);
    await eventually(async () =>
      expect(await world.server.accounts.find(world.workspaceId, accountId)).toMatchObject({
        phoneNumber: `+${number}`,
      }),
    );
    const rows = await world.server.db.ownerQuery<{ name: string; value_sealed: Buffer }>(
      'SELECT name, value_sealed FROM session_states WHERE account_id = $1',
      [accountId],
    );
    const names = rows.map(({ name }) => name);
    expect(names).toContain('creds');
    expect(names.filter((name) => name.startsWith('pre-key/')).length).toBeGreaterThan(100);
    for (const { value_sealed } of rows) expect(value_sealed.includes('"private"')).toBe(false);
  });

  it('passes on what a customer writes, signed, as a message of theirs', async () => {
    await world.stand.write(customer, number, 'Are you open?', 'CUSTOMER0001');
    const message = await eventually(() => {
      const found = events().find((event) => event.kind === 'message' && event.direction === 'in');
      expect(found).toBeDefined();
      return found;
    });
    expect(message).toMatchObject({
      providerMessageId: 'CUSTOMER0001',
      content: { type: 'text', text: 'Are you open?' },
      profileName: 'A customer',
    });
    expect(JSON.stringify(message)).toContain('15550001111');
    expect(world.delivered.every(({ isVerified }) => isVerified)).toBe(true);
  });

  it('sends once under an attempt’s id, however often it is told, and its receipts tell the attempt', async () => {
    const first = send('+15550001111', 'Until eight');
    expect(await first.outcome).toMatchObject({ kind: 'sent' });
    expect(await send('+15550001111', 'Until eight', first.attemptId).outcome).toEqual(await first.outcome);
    await world.stand.until(() => world.stand.received.length > 0);
    expect(world.stand.received).toHaveLength(1);
    const [received] = world.stand.received;
    expect(received!.message.extendedTextMessage?.text ?? received!.message.conversation).toBe('Until eight');
    world.stand.deliver(received!, number);
    await eventually(() =>
      expect(events()).toContainEqual(
        expect.objectContaining({
          kind: 'status',
          type: 'delivered',
          attemptId: toPublicId('attempt', first.attemptId),
        }),
      ),
    );
  });

  it('refuses a file at an address inside, and calls nobody there', async () => {
    const inside = await startFileServer();
    const media = { url: `http://${inside.host}/metadata`, mimeType: 'text/plain' };
    const { outcome } = sendContent('+15550001111', { type: 'document', media });
    expect(await outcome).toMatchObject({
      kind: 'refused',
      failure: { code: 'request-invalid', providerCode: 'invalid', isCertain: true },
    });
    expect(inside.calls).toEqual([]);
    await inside.close();
  });

  it('answers the next send while the file of one before never ends', async () => {
    const { outcome: dripping } = sendContent('+15550001111', {
      type: 'image',
      media: { url: `http://${files.host}/drip` },
    });
    await eventually(() => expect(files.calls).toEqual(['/drip']));
    const { outcome: second } = send('+15550001111', 'Meanwhile');
    expect(await second).toMatchObject({ kind: 'sent' });
    files.cut();
    expect(await dripping).toMatchObject({
      kind: 'refused',
      failure: { providerCode: 'file_unavailable', retry: { kind: 'later' }, isCertain: true },
    });
  });

  it('knows whether a number is on WhatsApp', async () => {
    const network = {
      baseUrl: machine.url,
      timeouts: defaultSendTimeouts,
      reach: anywhere,
      signal: new AbortController().signal,
    };
    const account = { credentials: { apiKey: 'key of first' }, settings: { session: 'first' } };
    const check = (phone: string) => webjsChannel.sessions!.checkNumber(account, phone, network);
    expect(await check('+15550001111')).toEqual({ kind: 'checked', isOnWhatsApp: true });
    expect(await check('+15550002222')).toEqual({ kind: 'checked', isOnWhatsApp: false });
  });

  it('takes sends with its own key only, and none for sessions that it does not run', async () => {
    const body = JSON.stringify({ id: 'x', to: { phone: '+15550001111' }, content: { type: 'text', text: 'no' } });
    const post = (session: string, authorization: string) =>
      fetch(`${machine.url}/sessions/${session}/messages`, { method: 'POST', headers: { authorization }, body });
    expect((await post('first', 'Bearer guessed')).status).toBe(401);
    expect((await post('another', 'Bearer key of first')).status).toBe(409);
    const wrong = await fetch(`${machine.url}/sessions/first/messages`, {
      method: 'POST',
      headers: { authorization: 'Bearer key of first' },
      body: '{"id":"x"}',
    });
    expect([wrong.status, await wrong.json()]).toMatchObject([400, { error: { code: 'invalid' } }]);
  });

  it('comes back by itself after a cut, without another code', async () => {
    const before = world.stand.connections;
    world.stand.cut(number);
    await world.stand.until(() => world.stand.connections > before && world.stand.isOpen(number));
    await expectStatus(accountId, 'connected');
  });

  it('begins anew with a person whose keys an erasure has taken', async () => {
    const { storage } = world.server.db;
    const taken = await storage.inWorkspace(world.workspaceId, (tx) =>
      world.server.companions.forgetPeople(tx, [`+${customer.digits}`]),
    );
    expect(taken).toBeGreaterThan(0);
    // The next connection has nothing in memory.
    const before = world.stand.connections;
    world.stand.cut(number);
    await world.stand.until(() => world.stand.connections > before && world.stand.isOpen(number));
    await expectStatus(accountId, 'connected');
    const { length } = world.stand.received;
    expect(await send(`+${customer.digits}`, 'Do we know each other?').outcome).toMatchObject({ kind: 'sent' });
    await world.stand.until(() => world.stand.received.length > length);
    const { message } = world.stand.received.at(-1)!;
    expect(message.extendedTextMessage?.text ?? message.conversation).toBe('Do we know each other?');
  });

  it('goes over to another machine when its own falls silent, and never runs on both', async () => {
    const [own] = [machine];
    await own.stop();
    // Long enough that a busy machine does not lose it by itself.
    const dying = await world.startMachine({ reconnect: hasty }, 4_000);
    await eventually(() => expect(dying.companion.find('first')?.state).toBe('open'));
    const heir = await world.startMachine({ reconnect: hasty }, 60_000);
    dying.isCut = true;
    await eventually(() => {
      const runs = [dying, heir].filter(({ companion }) => companion.find('first')?.client);
      expect(runs).not.toHaveLength(2);
      expect(heir.companion.find('first')?.state).toBe('open');
    });
    expect(dying.companion.sessions).toEqual([]);
    const [lease] = await world.server.db.ownerQuery<{ epoch: string }>(
      'SELECT epoch FROM companion_leases WHERE account_id = $1',
      [accountId],
    );
    expect(Number(lease?.epoch)).toBeGreaterThanOrEqual(3);
    const { settings } = (await world.server.accounts.find(world.workspaceId, accountId))!;
    expect(settings.baseUrl).toBe(heir.url);
    await dying.stop();
    machine = heir;
  });

  it('that is unlinked at the phone ends with the reason, forgets its keys, and may be linked anew', async () => {
    world.stand.unlink(number);
    await expectStatus(accountId, 'disconnected', /unlinked/);
    await eventually(async () =>
      expect(
        await world.server.db.ownerQuery('SELECT 1 FROM session_states WHERE account_id = $1', [accountId]),
      ).toHaveLength(0),
    );
    await link(accountId, number);
  });

  it('is ended by the server’s word, at the phone too', async () => {
    const ended = await world.server.pairing.logOut(world.workspaceId, accountId);
    expect(ended).toMatchObject({ ok: true });
    await expectStatus(accountId, 'disconnected');
    await world.stand.until(() => !world.stand.isOpen(number));
    await eventually(() => expect(machine.companion.sessions).toEqual([]));
  });
});

describe('a session that will not connect', () => {
  it('is told as a loop, with the reason, while it goes on trying, and comes right when WhatsApp does', async () => {
    const id = await world.addSession('looping');
    await world.server.pairing.regenerateQr(world.workspaceId, id, 'test');
    await codeShown(id);
    world.stand.refuseWith = '503';
    await world.server.pairing.regenerateQr(world.workspaceId, id, 'test');
    await expectStatus(id, 'error', /reconnect loop: closed 5 times/);
    world.stand.refuseWith = null;
    const code = await codeShown(id);
    world.stand.scan(code, '14155550106');
    await expectStatus(id, 'connected');
  });

  it('ends where WhatsApp bars the number', async () => {
    const id = await world.addSession('barred');
    world.stand.refuseWith = '403';
    await world.server.pairing.regenerateQr(world.workspaceId, id, 'test');
    await expectStatus(id, 'error', /barred/);
    const { connections } = world.stand;
    await machine.companion.look();
    expect(world.stand.connections).toBe(connections);
    world.stand.refuseWith = null;
  });
});

it('takes up changed keys with the next renewal, and loses nothing meanwhile', async () => {
  await machine.stop();
  machine = await world.startMachine({ reconnect: hasty }, 3_000);
  const session = 'with changing keys';
  const id = await world.addSession(session);
  await link(id, '14155550108');
  const keys = { webhookKey: 'another key of the webhook', apiKey: 'another key' };
  await world.changeKeys(id, session, keys);
  await world.stand.write(customer, '14155550108', 'Still open?', 'NEWKEYS00001');
  const account = { credentials: { apiKey: keys.apiKey }, settings: { session } };
  await eventually(async () =>
    expect(await send('+15550001111', 'Yes', newId('attempt'), account).outcome).toMatchObject({ kind: 'sent' }),
  );
  await eventually(() =>
    expect(world.delivered).toContainEqual({
      isVerified: true,
      events: [expect.objectContaining({ kind: 'message', providerMessageId: 'NEWKEYS00001' })],
    }),
  );
});

it('gives up a pairing that nobody scans, and starts afresh when asked again', async () => {
  await machine.stop();
  machine = await world.startMachine({ reconnect: hasty, pairingMs: 400 });
  const id = await world.addSession('unscanned');
  await world.server.pairing.regenerateQr(world.workspaceId, id, 'test');
  await expectStatus(id, 'disconnected', /nobody scanned/);
  expect(await world.codeOf(id)).toBeNull();
  // A busy machine needs longer than that to link.
  machine.limits.pairingMs = 60_000;
  await world.server.pairing.regenerateQr(world.workspaceId, id, 'test');
  world.stand.scan(await codeShown(id), '14155550107');
  await expectStatus(id, 'connected');
});
