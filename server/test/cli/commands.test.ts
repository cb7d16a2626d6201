/** What programs rely on: exit status, one JSON document on stdout, one line on stderr. */
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { parseId, toPublicId } from '@switchyard/contract';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { newId } from '#kernel';
import { type CommandLine, openCommandLine } from './world.ts';

let line: CommandLine;
let token: string;

beforeAll(async () => {
  line = await openCommandLine();
});

afterAll(() => line.close());

describe('a schema', () => {
  it('is told as not made yet, brought up, and then as made', async () => {
    const before = await line.json<{ migrations: { executedAt: string | null }[] }>('db', 'status');
    expect(before.document.migrations[0]?.executedAt).toBeNull();
    const up = await line.json<{ steps: { direction: string }[] }>('db', 'migrate');
    expect(up.status).toBe(0);
    expect(up.document.steps.length).toBe(before.document.migrations.length);
    expect(new Set(up.document.steps.map(({ direction }) => direction))).toEqual(new Set(['up']));
    expect(await line.json('db', 'migrate')).toEqual({ status: 0, document: { steps: [] } });
    const checked = await line.json('db', 'status', '--check');
    expect(checked).toMatchObject({ status: 0, document: { differences: [] } });
  });

  it('names what differs from the migrations, and fails', async () => {
    await asOwner('ALTER TABLE switchyard.contacts ADD COLUMN stray text');
    try {
      const { status, document } = await line.json('db', 'status', '--check');
      expect(status).toBe(1);
      expect(document).toMatchObject({ differences: [{ kind: 'extra', thing: 'column contacts.stray' }] });
    } finally {
      await asOwner('ALTER TABLE switchyard.contacts DROP COLUMN stray');
    }
  });

  it('is not rolled back unless somebody agrees', async () => {
    const nobody = await line.run('db', 'rollback');
    expect(nobody).toMatchObject({ status: 1, stdout: '' });
    expect(nobody.stderr).toContain('--yes');
    expect((await line.answering(false).run('db', 'rollback')).status).toBe(1);
    expect((await line.json('db', 'status', '--check')).status).toBe(0);
  });

  it('of a newer program is refused', async () => {
    await asOwner(`INSERT INTO switchyard.kysely_migration (name, timestamp) VALUES ('9999-later', '2030-01-01')`);
    try {
      const ran = await line.run('workspace', 'list');
      expect(ran.status).toBe(1);
      expect(ran.stderr).toMatch(/^switchyard: .*newer version of Switchyard \(it has 9999-later\).*\n$/);
    } finally {
      await asOwner(`DELETE FROM switchyard.kysely_migration WHERE name = '9999-later'`);
    }
  });
});

describe('workspaces, keys and accounts', () => {
  it('makes a workspace once', async () => {
    const made = await line.json('workspace', 'create', 'Bazaar Norte');
    expect(made).toMatchObject({ status: 0, document: { workspace: { slug: 'bazaar-norte', name: 'Bazaar Norte' } } });
    const again = await line.json('workspace', 'create', 'Bazaar Norte');
    expect(again).toEqual({
      status: 1,
      document: { error: { message: 'there is a workspace "bazaar-norte" already' } },
    });
    await line.run('workspace', 'create', 'Sur', '--slug', 'sur');
    const listed = await line.json<{ workspaces: { slug: string }[] }>('workspace', 'list');
    expect(listed.document.workspaces.map(({ slug }) => slug)).toEqual(['bazaar-norte', 'sur']);
  });

  it('shows a key once, and refuses a scope that there is not', async () => {
    const made = await line.run('api-key', 'create', '--workspace', 'sur');
    expect(made.status).toBe(0);
    expect(made.stdout).toMatch(/^swy_\S+\n$/);
    const document = await line.json('api-key', 'create', '--workspace', 'sur', '--scopes', 'messages:write');
    expect(document).toMatchObject({ status: 0, document: { scopes: ['messages:write'] } });
    const wrong = await line.run('api-key', 'create', '--workspace', 'sur', '--scopes', 'everything');
    expect(wrong).toMatchObject({ status: 1, stdout: '' });
  });

  it('connects an account, and lists it without its secrets', async () => {
    const made = await line.json<{ token: string; webhookUrl: string }>(
      ...['account', 'add', '--workspace', 'sur', '--provider', 'meta', '--phone', '+34600111222', '--active'],
      ...['--setting', 'phoneNumberId=106500000000001', '--secret', 'accessToken=hunter2', '--secret', 'appSecret=s3'],
    );
    expect(made.status).toBe(0);
    token = made.document.token;
    expect(made.document.webhookUrl).toBe(`http://127.0.0.1:1/webhooks/meta/whatsapp/${token}`);
    const listed = await line.run('account', 'list', '--workspace', 'sur', '--json');
    expect(JSON.parse(listed.stdout)).toMatchObject({ accounts: [{ provider: 'meta', phoneNumber: '+34600111222' }] });
    expect(listed.stdout).not.toContain('hunter2');
    const tokens = await line.json('tokens', '--workspace', 'sur');
    expect(tokens.document).toMatchObject({ tokens: [{ token, enabled: true, workspace: 'Sur' }] });
  });

  it('takes the account of a canary by its number or its name too, and names those there are', async () => {
    const schedule = ['canary', 'schedule', '+34 600 111 222', '--workspace', 'sur', '--every', '15'];
    const set = await line.json<{ accountId: string }>(...schedule);
    expect(set).toMatchObject({ status: 0, document: { accountId: expect.stringMatching(/^acc_/), everyMinutes: 15 } });
    const off = await line.json('canary', 'schedule', set.document.accountId, '--workspace', 'sur', '--off');
    expect(off).toMatchObject({ status: 0, document: { everyMinutes: null } });
    const written = await line.json('audit', 'list', '--workspace', 'sur', '--resource', 'canary');
    expect(JSON.stringify(written.document)).toContain(`canary of ${set.document.accountId}`);
    const ran = await line.run('canary', 'run', 'nobody', '--workspace', 'sur');
    expect(ran).toMatchObject({ status: 1, stdout: '' });
    expect(ran.stderr).toContain(`there is no account nobody; there are: ${set.document.accountId}`);
  });

  it('does not give one provider id to two accounts, nor says whose it is', async () => {
    const taken = await line.run(
      ...['account', 'add', '--workspace', 'bazaar-norte', '--provider', 'meta'],
      ...['--setting', 'phoneNumberId=106500000000001', '--secret', 'accessToken=x'],
    );
    expect(taken.status).toBe(1);
    expect(taken.stderr).not.toMatch(/sur/i);
  });

  it('finds a route by token and by provider id, and says that a first look-up was none of the cache', async () => {
    for (const key of [token, '106500000000001']) {
      const found = await line.json('route', key);
      expect(found).toMatchObject({
        status: 0,
        document: { workspace: 'Sur', provider: 'meta', serving: 'switchyard', isCached: false },
      });
    }
    expect(await line.json('route', 'nobody')).toMatchObject({ status: 1 });
  });
});

describe('deliveries', () => {
  let mine: string;

  beforeAll(async () => {
    const id = '0198f000-0000-7000-8000-000000000001';
    const body = JSON.stringify({ object: 'whatsapp_business_account', entry: [] });
    await asSuperuser(
      `INSERT INTO switchyard.deliveries (workspace_id, id, provider, route_kind, method, target, headers, body, received_at)
       SELECT workspace_id, $1, 'meta', 'token', 'POST', '/webhooks/meta/whatsapp/***', '{}', $2, now()
       FROM switchyard.workspaces WHERE slug = 'sur'`,
      [id, Buffer.from(body)],
    );
    await asSuperuser(
      `INSERT INTO switchyard.inbox (workspace_id, id, shard, position, after_position, state, event_count, duplicate_count, dead_count)
       SELECT workspace_id, $1, 0, 1, 0, 'normalised', 0, 0, 0 FROM switchyard.workspaces WHERE slug = 'sur'`,
      [id],
    );
    mine = `dlv_${id.replaceAll('-', '')}`;
  });

  it('are listed, shown with their hops, and replayed', async () => {
    const listed = await line.json('deliveries', 'list', '--workspace', 'sur', '--state', 'normalised');
    expect(listed.document).toMatchObject({ deliveries: [{ id: mine, provider: 'meta' }] });
    const shown = await line.json('deliveries', 'show', mine, '--workspace', 'sur');
    expect(shown.document).toMatchObject({ delivery: { id: mine, hops: [{ kind: 'received' }] } });
    expect((await line.run('deliveries', 'show', mine, '--workspace', 'sur')).stdout).toContain('POST from meta');
    const replayed = await line.json('deliveries', 'replay', mine, '--workspace', 'sur');
    expect(replayed).toEqual({ status: 0, document: { replayed: [{ id: mine, revived: 0 }], missing: [] } });
  });

  it('are listed of the account that is meant, by its number, its name or its id', async () => {
    const { document } = await line.json<{ accounts: { id: string; name: string }[] }>(
      ...['account', 'list', '--workspace', 'sur'],
    );
    const [account] = document.accounts;
    for (const meant of ['+34 600 111 222', account?.name ?? '', account?.id ?? '']) {
      const listed = await line.json('deliveries', 'list', '--workspace', 'sur', '--account', meant);
      expect(listed).toEqual({ status: 0, document: { deliveries: [] } });
    }
    const nobody = await line.run('deliveries', 'list', '--workspace', 'sur', '--account', 'nobody');
    expect(nobody).toMatchObject({ status: 1, stdout: '' });
    expect(nobody.stderr).toContain(`there is no account nobody; there are: ${account?.id}`);
  });

  it('of another workspace are missing, like those that never were', async () => {
    const never = 'dlv_0198f00000007000800000000000000f';
    for (const verb of ['show', 'replay']) {
      const foreign = await line.run('deliveries', verb, mine, '--workspace', 'bazaar-norte');
      const missing = await line.run('deliveries', verb, never, '--workspace', 'bazaar-norte');
      expect(foreign.status).toBe(1);
      expect(foreign.stderr.replace(mine, '')).toBe(missing.stderr.replace(never, ''));
    }
  });
});

describe('the ledger', () => {
  // Of the year 2025, so that the deliveries of the other tests are not in it.
  const late = '0198f000-0000-7000-8000-00000000000a';
  const span = ['--from', '2025-08-01', '--to', '2025-09-01'];

  it('is balanced, and one delivery that nobody reads is named, with exit status 1', async () => {
    const before = await line.json('deliveries', 'balance', '--workspace', 'bazaar-norte', ...span);
    expect(before).toMatchObject({ status: 0, document: { isBalanced: true, gapCount: 0 } });
    await asSuperuser(
      `WITH mine AS (SELECT workspace_id FROM switchyard.workspaces WHERE slug = 'bazaar-norte'), kept AS (
         INSERT INTO switchyard.deliveries (workspace_id, id, provider, route_kind, method, target, headers, body, received_at)
         SELECT workspace_id, $1, 'meta', 'token', 'POST', '/', '{}', '', '2025-08-28' FROM mine)
       INSERT INTO switchyard.inbox (workspace_id, id, shard, position, after_position) SELECT workspace_id, $1, 0, 1, 0 FROM mine`,
      [late],
    );
    const after = await line.json('deliveries', 'balance', '--workspace', 'bazaar-norte', ...span);
    expect(after).toMatchObject({ status: 1, document: { isBalanced: false, gapCount: 1 } });
    const { workspaces } = after.document as { workspaces: { workspace: { slug: string }; gaps: object[] }[] };
    expect(workspaces.find(({ workspace }) => workspace.slug === 'bazaar-norte')?.gaps).toMatchObject([
      { stage: 'normalise', deliveryId: `dlv_${late.replaceAll('-', '')}`, ageSeconds: expect.any(Number) },
    ]);
    const drawn = await line.run('deliveries', 'balance', '--workspace', 'bazaar-norte', ...span);
    expect(drawn).toMatchObject({ status: 1, stderr: 'switchyard: 1 gap(s)\n' });
    expect(drawn.stdout).toContain(`dlv_${late.replaceAll('-', '')}`);
  });

  it('is of the one account that is meant, in whatever workspace it is', async () => {
    const meant = await line.json<{ workspaces: { workspace: { slug: string } }[] }>(
      ...['deliveries', 'balance', '--account', '+34 600 111 222', ...span],
    );
    expect(meant.document.workspaces.map(({ workspace }) => workspace.slug)).toEqual(['sur']);
    const nobody = await line.run('deliveries', 'balance', '--account', 'nobody');
    expect(nobody).toMatchObject({ status: 1, stdout: '' });
    expect(nobody.stderr).toContain('there is no account nobody; there are: acc_');
  });

  it('finds a trace by its id, and says when there is none', async () => {
    const found = await line.json('trace', `dlv_${late}`);
    expect(found).toMatchObject({
      status: 0,
      document: { traces: [{ workspace: 'bazaar-norte', hops: [{ kind: 'received' }] }] },
    });
    expect(await line.run('trace', '+34699999999')).toMatchObject({
      ...{ status: 1, stdout: '' },
      stderr:
        'switchyard: nothing was found by +34699999999; what could not be read is found by no number or id: see switchyard deliveries list --workspace <workspace> --state dead\n',
    });
  });

  it('finds a message that nobody has read yet, and one whose turn failed for good, and tells where each stopped', async () => {
    const listed = await line.json<{ accounts: { id: string }[] }>('account', 'list', '--workspace', 'sur');
    const accountId = parseId('account', listed.document.accounts[0]?.id ?? '');
    const [unread, dead] = [newId('delivery'), newId('delivery')];
    const message = {
      from: '34655111222',
      id: 'wamid.unread',
      timestamp: '1767225600',
      type: 'text',
      text: { body: 'hola' },
    };
    const value = { metadata: { phone_number_id: '106500000000001' }, messages: [message] };
    const change = { field: 'messages', value: { messaging_product: 'whatsapp', ...value } };
    const body = { object: 'whatsapp_business_account', entry: [{ id: '1', changes: [change] }] };
    await asSuperuser(
      `WITH made AS (SELECT * FROM unnest($1::uuid[], ARRAY['stored', 'normalised']) AS m (id, state)), kept AS (
         INSERT INTO switchyard.deliveries (workspace_id, id, account_id, provider, route_kind, method, target, headers, body, received_at)
         SELECT a.workspace_id, m.id, a.id, 'meta', 'token', 'POST', '/', '{}', $3, now() FROM made m, switchyard.accounts a WHERE a.id = $2),
       queued AS (
         INSERT INTO switchyard.inbox (workspace_id, id, account_id, shard, position, after_position, state, normalised_at, event_count)
         SELECT a.workspace_id, m.id, a.id, ('x' || right(a.id::text, 4))::bit(16)::int % 16, 1, 0, m.state,
           CASE m.state WHEN 'normalised' THEN now() END, 1 FROM made m, switchyard.accounts a WHERE a.id = $2)
       INSERT INTO switchyard.events (workspace_id, id, delivery_id, account_id, ordinal, kind, type, key, payload, received_at, position,
         after_position, state, reason, provider_message_id)
       SELECT a.workspace_id, gen_random_uuid(), $4, a.id, 0, 'message', 'text', 'wamid.dead', '{}', now(), 1, 0, 'dead', 'it broke', 'wamid.dead'
       FROM switchyard.accounts a WHERE a.id = $2`,
      [[unread, dead], accountId, Buffer.from(JSON.stringify(body)), dead],
    );
    for (const query of ['+34 655 111 222', 'wamid.unread'])
      expect(await line.json('trace', query)).toMatchObject({
        status: 0,
        document: { traces: [{ id: toPublicId('delivery', unread), workspace: 'sur', customer: '+34655111222' }] },
      });
    expect((await line.run('trace', 'wamid.unread')).stdout).toContain('not read yet');
    const failed = await line.json('trace', 'wamid.dead', '--workspace', 'sur');
    expect(failed).toMatchObject({
      status: 0,
      document: { traces: [{ id: toPublicId('delivery', dead), isProblem: true }] },
    });
    expect((await line.run('trace', 'wamid.dead')).stdout).toContain('dead: it broke');
    expect((await line.run('trace', 'wamid.dead', '--workspace', 'bazaar-norte')).status).toBe(1);
  });

  it('tells an address, shows its secret once, tries it, and tells it no more', async () => {
    const outward = line.with({ OUTBOUND_ALLOWED: '127.0.0.1' });
    const inside = await line.run(
      'alarms',
      'targets',
      'add',
      '--workspace',
      'sur',
      '--webhook',
      'http://127.0.0.1:1/hook',
    );
    expect([inside.status, inside.stdout]).toEqual([1, '']);
    const added = await outward.json<{ id: string; secret: string }>(
      ...['alarms', 'targets', 'add', '--workspace', 'sur', '--webhook', 'http://127.0.0.1:1/hook'],
    );
    expect(added).toMatchObject({ status: 0, document: { secret: expect.stringMatching(/^whsec_/) } });
    const { id, secret } = added.document;
    const listed = await line.run('alarms', 'targets', 'list', '--workspace', 'sur', '--json');
    expect(listed.stdout).toContain(id);
    expect(listed.stdout).not.toContain(secret);
    const tried = await outward.json('alarms', 'test', id, '--workspace', 'sur');
    expect(tried).toMatchObject({ status: 1, document: { isDelivered: false } });
    expect(await line.json('alarms', 'targets', 'remove', id, '--workspace', 'bazaar-norte')).toMatchObject({
      status: 1,
    });
    expect(await line.json('alarms', 'targets', 'remove', id, '--workspace', 'sur')).toMatchObject({ status: 0 });
    const mail = await line.run('alarms', 'targets', 'add', '--workspace', 'sur', '--email', 'a@example.com');
    expect(mail).toMatchObject({ status: 1, stderr: expect.stringContaining('SMTP_URL') });
    expect(await line.json('alarms', 'list', '--workspace', 'sur')).toEqual({ status: 0, document: { alarms: [] } });
  });
});

describe('the master key', () => {
  it('is rotated: everything is sealed anew, the older key stays, and nobody else may read the file', async () => {
    const keysBefore = (await keyFile()).split(',');
    const rotated = await line.json('key', 'rotate');
    expect(rotated).toMatchObject({
      status: 0,
      document: { isNewKey: true, resealed: { accounts: 1, webhook_tokens: 1 } },
    });
    const keys = (await keyFile()).split(',');
    expect(keys.slice(1)).toEqual(keysBefore);
    expect((await stat(join(line.dataFolder, 'master.key'))).mode & 0o777).toBe(0o600);
    expect((await line.json('tokens')).document).toMatchObject({ tokens: [{ token }] });
  });

  it('goes on with a rotation that was cut short instead of making yet another key', async () => {
    // As a rotation leaves it that is killed as soon as the new key is in the file.
    const { addKey } = await import('#storage');
    await insertArrival();
    await addKey(line.dataFolder);
    const keys = await keyFile();
    const finished = await line.json('key', 'rotate');
    // What nobody had unpacked is among it.
    expect(finished).toMatchObject({
      document: { isNewKey: false, resealed: { accounts: 1, webhook_tokens: 1, deliveries: 1 } },
    });
    expect(await keyFile()).toBe(keys);
  });

  it('from the settings seals by its first key what the others sealed', async () => {
    const [first, ...older] = (await keyFile()).split(',');
    const turned = [older[0], first, ...older.slice(1)].join(',');
    const resealed = await line.with({ SWITCHYARD_KEY: turned }).json('key', 'rotate');
    expect(resealed).toMatchObject({ document: { keyId: older[0]?.split(':')[0], resealed: { accounts: 1 } } });
    const nothing = await line.with({ SWITCHYARD_KEY: turned }).json('key', 'rotate');
    expect(nothing).toMatchObject({ status: 0, document: { isNewKey: false, resealed: { accounts: 0 } } });
  });

  /** As a gateway stores a delivery with a secret, sealed by the key of now. */
  async function insertArrival(): Promise<void> {
    const { createSealer, parseKeyring } = await import('#storage');
    const id = '0198f000-0000-7000-8000-0000000000a1';
    const sealer = createSealer(parseKeyring(await keyFile()));
    const sealed = sealer.seal('{}', { table: 'deliveries', column: 'secrets_sealed', row: id });
    const origin = { origin: 0, provider: 'meta', route_kind: 'token', method: 'POST', target: '/', shard: 0 };
    const flags = { account_id: null, is_authenticated: true, is_test: false };
    const parts = {
      body_start: 1,
      body_length: 0,
      sealed_length: sealed.length,
      received_at: new Date(),
      after_position: 0,
    };
    await asSuperuser(
      `INSERT INTO switchyard.arrivals (delivery_count, origins, deliveries, bodies)
       SELECT 1, json_build_array($1::jsonb || jsonb_build_object('workspace_id', workspace_id)), $2, $3
       FROM switchyard.workspaces WHERE slug = 'sur'`,
      [JSON.stringify({ ...origin, ...flags }), JSON.stringify([{ origin: 0, id, headers: {}, ...parts }]), sealed],
    );
  }

  async function keyFile(): Promise<string> {
    return (await readFile(join(line.dataFolder, 'master.key'), 'utf8')).trim();
  }
});

describe('doctor', () => {
  it('finds a sound installation sound', async () => {
    const { status, document } = await line.json<{ findings: { name: string; state: string }[] }>('doctor');
    expect(document.findings.filter(({ state }) => state === 'problem')).toEqual(
      // Port 1 is not for everybody to listen on.
      process.getuid?.() === 0 ? [] : [expect.objectContaining({ name: 'ports' })],
    );
    expect(status).toBe(process.getuid?.() === 0 ? 0 : 1);
    expect(document.findings.map(({ name }) => name)).toEqual(
      expect.arrayContaining(['database', 'durability', 'database roles', 'schema', 'catalogue', 'master key']),
    );
  });

  it('says what keeps the server from starting, each in its line', async () => {
    const broken = line.with({ DATABASE_URL: 'postgres://u:hunter2@127.0.0.1:1/x', REDIS_URL: 'redis://127.0.0.1:1' });
    const ran = await broken.run('doctor');
    expect(ran.status).toBe(1);
    expect(ran.stdout).toMatch(/^PROBLEM +database +.*ECONNREFUSED/m);
    expect(ran.stdout).toMatch(/^PROBLEM +engines +no Redis answers/m);
    expect(ran.stdout).not.toContain('hunter2');
  });

  it('changes nothing in a folder that is not there yet', async () => {
    const folder = join(line.dataFolder, 'not-made');
    const fresh = line.with({ DATABASE_URL: '', SWITCHYARD_DATA: folder });
    expect((await fresh.run('doctor')).stdout).toContain('not made yet');
    await expect(stat(folder)).rejects.toThrow('ENOENT');
  });
});

describe('wrong use', () => {
  it.each([
    [['nonsense']],
    [['db']],
    [['workspace', 'create']],
    [['workspace', 'list', '--loud']],
    [['deliveries', 'list']],
    [['deliveries', 'list', '--workspace', 'sur', '--limit', '0']],
    [['deliveries', 'list', '--workspace', 'sur', '--state', 'lost']],
    [['deliveries', 'show', 'nonsense', '--workspace', 'sur']],
    [['deliveries', 'balance', '--from', 'yesterday']],
    [['deliveries', 'balance', '--from', '2026-02-27T25:00']],
    [['deliveries', 'balance', '--from', '2026-02-30', '--to', '2026-03-05']],
    [['deliveries', 'balance', '--from', '2026-01-02', '--to', '2026-01-01']],
    [['deliveries', 'balance', '--from', '2025-01-01', '--to', '2026-01-01']],
    [['deliveries', 'balance', '--form', '2026-01-01']],
    [['trace']],
    [['trace', ' ']],
    [['alarms', 'targets', 'add', '--workspace', 'sur']],
    [['alarms', 'targets', 'add', '--workspace', 'sur', '--webhook', 'ftp://example.com']],
    [['alarms', 'test', 'nonsense', '--workspace', 'sur']],
    [['workspace', 'create', ' ']],
    [['workspace', 'create', 'x'.repeat(101)]],
    [['workspace', 'set', 'sur', '--name', 'x'.repeat(101)]],
    [['canary', 'schedule', 'nobody', '--workspace', 'sur']],
    [['canary', 'schedule', 'acc_0198f000000070008000000000000001', '--workspace', 'sur', '--every', '0']],
    [['account', 'add', '--workspace', 'sur', '--provider', 'pigeon']],
    [['account', 'add', '--workspace', 'sur', '--provider', 'meta', '--setting', 'novalue']],
    [['normalize', '--provider', 'pigeon', 'x.json']],
    [['normalize', '--provider', 'meta', '/nowhere/x.json']],
    [['webhook', 'test', 'x', '--url', 'nowhere']],
    [['simulate', '--text', 'a', '--image', 'http://x/y.png']],
    [['simulate', '--location', 'here']],
  ])('%j: exit status 2, nothing on stdout but an error document', async (args) => {
    const plain = await line.run(...args);
    expect(plain).toMatchObject({ status: 2, stdout: '' });
    expect(plain.stderr).not.toMatch(/^ +at /m);
    const { status, document } = await line.json<{ error: { message: string } }>(...args);
    expect(status).toBe(2);
    expect(document.error.message).toMatch(/\S/);
  });

  it('says how long a name may be', async () => {
    const ran = await line.run('workspace', 'create', 'x'.repeat(101));
    expect(ran.stderr).toBe("switchyard: a workspace's name has 1 to 100 characters, this one has 101\n");
  });

  it('names the workspaces there are when one is not', async () => {
    const ran = await line.run('account', 'list', '--workspace', 'este');
    expect(ran).toMatchObject({ status: 1, stdout: '' });
    expect(ran.stderr).toBe('switchyard: there is no workspace este; there are: bazaar-norte, sur\n');
  });
});

describe('help', () => {
  it('of every command shows an example', async () => {
    const commands = [
      ...['start', 'doctor', 'db migrate', 'db rollback', 'db status', 'workspace create', 'workspace list'],
      ...['api-key create', 'account add', 'account list', 'tokens', 'route', 'deliveries list', 'deliveries show'],
      ...['tokens rotate', 'tokens retire', 'tokens undo', 'webhook find', 'webhook set', 'webhook undo'],
      ...['deliveries balance', 'trace', 'alarms list', 'alarms test', 'alarms targets list', 'alarms targets add'],
      ...['alarms targets remove', 'canary run', 'canary schedule'],
      ...['deliveries replay', 'webhook test', 'normalize', 'simulate', 'key rotate'],
    ];
    for (const command of commands) {
      const ran = await line.run(...command.split(' '), '--help');
      expect(ran).toMatchObject({ status: 0, stderr: '' });
      expect(ran.stdout).toMatch(/Examples?:.*switchyard/s);
    }
  });
});

describe('privacy and upkeep', () => {
  it('tells how long raw records are kept, tries another policy, and changes it only when somebody agrees', async () => {
    const shown = await line.json('retention', 'show', '--workspace', 'sur', '--deliveries', '3');
    expect(shown).toMatchObject({ status: 0, document: { retention: { deliveryDays: 3, attemptDays: 30 } } });
    const set = ['retention', 'set', '--workspace', 'sur', '--deliveries', '7'];
    expect((await line.answering(false).run(...set)).status).toBe(1);
    expect(await line.json('retention', 'show', '--workspace', 'sur')).toMatchObject({
      document: { retention: { deliveryDays: 14 } },
    });
    expect(await line.json(...set, '--yes')).toMatchObject({ status: 0, document: { retention: { deliveryDays: 7 } } });
    expect((await line.run('retention', 'set', '--workspace', 'sur')).status).toBe(2);
    expect((await line.run('retention', 'show', '--workspace', 'sur', '--deliveries', '0')).status).toBe(2);
    expect(await line.json('retention', 'run')).toMatchObject({ status: 0, document: { emptiedBodies: 0 } });
  });

  it('exports and erases a contact, and keeps the receipt', async () => {
    const id = '018f0000-0000-7000-8000-00000000c0de';
    await asSuperuser(
      `INSERT INTO switchyard.contacts (workspace_id, id, name)
      SELECT workspace_id, '${id}', 'Canary' FROM switchyard.workspaces WHERE slug = 'sur'`,
      [],
    );
    expect(await line.json('contact', 'export', id, '--workspace', 'sur')).toMatchObject({
      document: { contact: { name: 'Canary' } },
    });
    expect((await line.run('contact', 'erase', id, '--workspace', 'sur')).stderr).toContain('--yes');
    const erased = await line.json('contact', 'erase', id, '--workspace', 'sur', '--yes');
    expect(erased).toMatchObject({ status: 0, document: { erasure: { phase: 'done' }, waitsFor: null } });
    expect((await line.run('contact', 'export', id, '--workspace', 'sur')).status).toBe(1);
    const receipts = await line.run('contact', 'erasures', '--workspace', 'sur', '--json');
    expect(receipts.stdout).toContain('era_');
    expect(receipts.stdout).not.toContain('Canary');
    expect((await line.run('contact', 'erase', 'somebody', '--workspace', 'sur')).status).toBe(2);
  });

  it('says that Meta cannot be asked for what was lost, and refuses a span that is none', async () => {
    const { document } = await line.json<{ accounts: { id: string }[] }>('account', 'list', '--workspace', 'sur');
    const reconcile = ['account', 'reconcile', document.accounts[0]!.id, '--workspace', 'sur'];
    expect(await line.json(...reconcile)).toMatchObject({
      ...{ status: 0, document: { reconciliation: { state: 'unsupported', coveredFrom: null } } },
    });
    expect((await line.run(...reconcile, '--from', 'yesterday')).status).toBe(2);
    expect((await line.run(...reconcile, '--from', '2030-01-02', '--until', '2030-01-01')).status).toBe(2);
  });
});

async function asOwner(statement: string): Promise<void> {
  await query(line.ownerUrl, statement, []);
}

async function asSuperuser(statement: string, values: readonly unknown[]): Promise<void> {
  await query(line.superuserUrl('switchyard'), statement, values);
}

async function query(url: string, statement: string, values: readonly unknown[]): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(statement, [...values]);
  } finally {
    await client.end();
  }
}

describe('the life of an account', () => {
  it('moves an account through its life, tells how it is, and asks before it removes one', async () => {
    await line.run('workspace', 'create', 'Oeste', '--slug', 'oeste');
    const made = await line.json<{ account: { id: string } }>(
      ...['account', 'add', '--workspace', 'oeste', '--provider', 'webjs', '--name', 'Second'],
      ...['--setting', 'session=second', '--secret', 'webhookKey=k'],
    );
    const { id } = made.document.account;
    const of = (name: string, ...more: string[]) => line.json('account', name, id, '--workspace', 'oeste', ...more);
    expect(await of('disconnect')).toMatchObject({
      status: 1,
      document: { error: { message: expect.stringContaining('disconnected') } },
    });
    expect(await of('reconnect')).toMatchObject({ document: { account: { status: 'connecting' } } });
    expect(await of('set-primary')).toMatchObject({ document: { account: { isPrimary: true } } });
    expect(await of('health')).toMatchObject({ document: { score: 50, isHealthy: false } });
    expect(await of('statistics', '--by', 'day')).toMatchObject({ document: { totals: { received: 0 } } });
    expect(await of('statistics', '--by', 'year')).toMatchObject({ status: 2 });
    const told = await line.run('account', 'health', id, '--workspace', 'oeste');
    expect(told.stdout).toMatch(/50 of 100[\s\S]*Scan the QR code/);
    expect((await line.run('account', 'remove', id, '--workspace', 'oeste')).stderr).toContain('--yes');
    expect(await of('remove', '--yes')).toMatchObject({ status: 0 });
    expect(await of('health')).toMatchObject({ status: 1 });
    const removed = await line.json('account', 'list', '--workspace', 'oeste', '--removed');
    expect(removed).toMatchObject({ document: { accounts: [{ id, status: 'disconnected' }] } });
    expect(await of('restore')).toMatchObject({ document: { account: { id, removedAt: null } } });
    expect(await of('remove', '--yes')).toMatchObject({ status: 0 });
    expect((await line.run('account', 'health', 'sur', '--workspace', 'oeste')).status).toBe(1);
  });

  it('knows an account by its name, changes its settings, and says what of them is wrong', async () => {
    await line.run('workspace', 'create', 'Centro', '--slug', 'centro');
    for (const session of ['one', 'two'])
      await line.run(
        ...['account', 'add', '--workspace', 'centro', '--provider', 'webjs', '--name', 'Twin'],
        ...['--setting', `session=${session}`, '--secret', 'webhookKey=k'],
      );
    const twins = await line.json<{ error: { message: string } }>('account', 'health', 'Twin', '--workspace', 'centro');
    expect([twins.status, twins.document.error.message.match(/acc_[0-9a-f]{32}/g)?.length]).toEqual([2, 2]);
    const [id = ''] = twins.document.error.message.match(/acc_[0-9a-f]{32}/) ?? [];
    const set = (which: string, ...options: string[]) =>
      line.json<{ account: { name: string } }>('account', 'set', which, '--workspace', 'centro', ...options);
    expect(await set(id, '--name', 'Desk', '--phone', '+34600111999')).toMatchObject({ status: 0 });
    expect(await set('+34 600 111 999', '--setting', 'quietHours=22:00-07:00', '--active')).toMatchObject({
      document: { account: { name: 'Desk', isActive: true } },
    });
    expect(await set('desk', '--setting', 'timeZone=Mars/Olympus')).toMatchObject({
      status: 1,
      document: { error: { message: expect.stringContaining('time zone') } },
    });
    expect(await set('desk', '--setting', 'quietHours=late')).toMatchObject({ status: 1 });
    expect(await set('desk', '--secret', 'nothing=x')).toMatchObject({ status: 1 });
    expect(await set('desk')).toMatchObject({ status: 2 });
  });
});
