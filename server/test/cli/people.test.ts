/** Keys, members and the audit log by command line. */
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type CommandLine, openCommandLine } from './world.ts';

let line: CommandLine;

beforeAll(async () => {
  line = await openCommandLine();
  await line.run('workspace', 'create', 'Shop');
});
afterAll(() => line.close());

const inShop = ['--workspace', 'shop'] as const;

async function asSuperuser(text: string): Promise<void> {
  const client = new pg.Client({ connectionString: line.superuserUrl('switchyard') });
  await client.connect();
  try {
    await client.query(text);
  } finally {
    await client.end();
  }
}

describe('keys', () => {
  it('are made with an end, listed without their secret, and revoked once', async () => {
    const made = await line.json<{ id: string; key: string; expiresAt: string }>(
      'api-key',
      'create',
      ...inShop,
      '--days',
      '2',
    );
    expect(Date.parse(made.document.expiresAt) - Date.now()).toBeGreaterThan(47 * 3_600_000);
    const { stdout } = await line.run('api-key', 'list', ...inShop, '--json');
    expect(stdout).toContain(made.document.id);
    expect(stdout).not.toContain(made.document.key);
    expect(await line.json('api-key', 'revoke', made.document.id, ...inShop)).toMatchObject({ status: 0 });
    expect(await line.json('api-key', 'revoke', made.document.id, ...inShop)).toMatchObject({ status: 1 });
    expect((await line.run('api-key', 'create', ...inShop, '--days', 'many')).status).toBe(2);
  });
});

describe('members', () => {
  it('are invited by a link, with a role that there is', async () => {
    const invited = await line.json<{ link: string }>(
      'member',
      'invite',
      'ana@example.com',
      ...inShop,
      '--role',
      'owner',
    );
    expect(invited.document.link).toMatch(/\/join#[\w-]{43}$/);
    expect((await line.run('member', 'invite', 'ana@example.com', ...inShop, '--role', 'king')).status).toBe(2);
    expect((await line.run('member', 'invite', 'not an address', ...inShop)).status).toBe(2);
    expect(await line.json('member', 'list', ...inShop)).toEqual({ status: 0, document: { members: [] } });
    expect((await line.run('member', 'role', 'nobody@example.com', 'admin', ...inShop)).status).toBe(1);
    expect((await line.run('member', 'second-factor-off', 'nobody@example.com')).status).toBe(1);
  });
});

describe('the audit log', () => {
  it('holds what the commands did, is whole, and fails where it is not', async () => {
    const listed = await line.json<{ entries: { actor: string; action: string; resource: string }[] }>(
      ...(['audit', 'list', ...inShop] as const),
    );
    expect(listed.document.entries.map(({ action, resource }) => `${action} ${resource.split(' ')[0]}`)).toEqual([
      'create invitation',
      'revoke api-key',
      'create api-key',
      'create workspace',
    ]);
    expect(new Set(listed.document.entries.map(({ actor }) => actor))).toEqual(new Set(['cli']));
    const whole = await line.json<{ head: { sequence: string; hash: string } }>('audit', 'verify', ...inShop);
    expect(whole).toMatchObject({ status: 0, document: { isWhole: true, entries: 4 } });
    const { sequence, hash } = whole.document.head;
    expect((await line.run('audit', 'verify', ...inShop, '--anchor', `${sequence}:${hash}`)).status).toBe(0);
    expect((await line.run('audit', 'verify', ...inShop, '--anchor', 'nonsense')).status).toBe(2);
    await asSuperuser(`UPDATE switchyard.audit_log SET actor = 'nobody' WHERE sequence = 2`);
    const broken = await line.run('audit', 'verify', ...inShop, '--json');
    expect(broken.status).toBe(1);
    expect(JSON.parse(broken.stdout)).toMatchObject({ isWhole: false, broken: { sequence: '2', reason: 'hash' } });
    expect(broken.stderr).toContain('the chain is broken at entry 2: hash');
  });
});

describe('a workspace', () => {
  it('is set by name, zone and language, and what is wrong is said before anything is opened', async () => {
    const { status, document } = await line.json<{ workspace: object }>(
      ...['workspace', 'set', 'shop', '--name', 'Bazaar', '--time-zone', 'Europe/Madrid', '--language', 'es'],
    );
    expect([status, document.workspace]).toMatchObject([
      0,
      { name: 'Bazaar', timeZone: 'Europe/Madrid', language: 'es' },
    ]);
    const wrong: readonly (readonly string[])[] = [
      [],
      ['--time-zone', '+02:00'],
      ['--language', 'tlh'],
      ['--name', ' '],
    ];
    for (const options of wrong)
      expect([options, (await line.run('workspace', 'set', 'shop', ...options)).status]).toEqual([options, 2]);
    expect((await line.run('workspace', 'set', 'nowhere', '--language', 'en')).status).toBe(1);
  });
});

describe('a person', () => {
  it('is given a new password by the operator, who is asked first', async () => {
    await asSuperuser(`INSERT INTO switchyard.people (id, email, name, password_hash)
      VALUES (gen_random_uuid(), 'lost@example.com', 'Lost', 'x')`);
    const asked = await line.answering(false).run('person', 'reset-password', 'lost@example.com');
    expect([asked.status, asked.stderr]).toEqual([1, expect.stringContaining('nothing was done')]);
    const reset = await line.json<{ password: string }>('person', 'reset-password', 'Lost@Example.com', '--yes');
    expect([reset.status, reset.document.password.length]).toEqual([0, 22]);
    expect((await line.json('person', 'reset-password', 'nobody@example.com', '--yes')).status).toBe(1);
  });
});

describe('an invitation', () => {
  it('is sent again under another link', async () => {
    const first = await line.json<{ link: string; mail: string }>('member', 'invite', 'ida@example.com', ...inShop);
    const again = await line.json<{ link: string }>('member', 'resend', 'IDA@example.com', ...inShop);
    expect([again.status, again.document.link === first.document.link]).toEqual([0, false]);
    expect(first.document.mail).toBe('off');
    expect((await line.run('member', 'resend', 'nobody@example.com', ...inShop)).status).toBe(1);
  });
});
