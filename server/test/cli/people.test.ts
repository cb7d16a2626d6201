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
