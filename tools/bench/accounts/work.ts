/**
 * Work of a bounded kind on the running servers, over all workspaces again and again: lists, health, a token looked up by
 * a webhook whose signature is wrong (routing, secrets, check; nothing is stored), a token that nobody has.
 */
import { randomBytes } from 'node:crypto';
import { Pool } from 'undici';
import type { SeededWorkspace } from './seed.ts';

export interface Work {
  /** For so long; gives the number of requests. Throws on an answer that was not to be expected. */
  run(ms: number): Promise<number>;
  close(): Promise<void>;
  /** Calls every server at the tokens of so many accounts, so that its caches hold as much as they will ever hold. */
  fill(accounts: number): Promise<void>;
}

const lanes = 16;

export function createWork(ports: readonly number[], workspaces: readonly SeededWorkspace[], from: number): Work {
  const pools = ports.map((port) => new Pool(`http://127.0.0.1:${port}`, { connections: lanes }));
  let next = from;

  async function one(): Promise<void> {
    const number = next;
    next += 1;
    const pool = pools[number % pools.length]!;
    const workspace = workspaces[Math.floor(number / 4) % workspaces.length]!;
    const account = workspace.accounts[Math.floor(number / 4 / workspaces.length) % workspace.accounts.length]!;
    if (number % 4 === 0) await expectStatus(pool, 200, listOf(workspace));
    else if (number % 4 === 3) await expectStatus(pool, 404, webhookOf('meta', randomBytes(32).toString('base64url')));
    else await expectStatus(pool, 401, webhookOf(account.provider, account.token));
  }

  return {
    async run(ms) {
      const endsAt = performance.now() + ms;
      const before = next;
      const lane = async () => {
        while (performance.now() < endsAt) await one();
      };
      await Promise.all(Array.from({ length: lanes }, lane));
      return next - before;
    },
    async fill(accounts) {
      const all = workspaces.flatMap((workspace) => workspace.accounts).slice(0, accounts);
      const calls = all.flatMap((account) => pools.map((pool) => ({ account, pool }))).values();
      const lane = async () => {
        for (const { account, pool } of calls)
          await expectStatus(pool, 401, webhookOf(account.provider, account.token));
      };
      await Promise.all(Array.from({ length: lanes }, lane));
    },
    close: async () => void (await Promise.all(pools.map((pool) => pool.close()))),
  };
}

interface Asked {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
}

export function listOf({ apiKey }: SeededWorkspace): Asked {
  return { method: 'GET', path: '/api/v1/accounts', headers: { authorization: `Bearer ${apiKey}` } };
}

function webhookOf(provider: string, token: string): Asked {
  const channel = provider === 'instagram' ? 'instagram' : 'whatsapp';
  return {
    method: 'POST',
    path: `/webhooks/${provider}/${channel}/${token}`,
    headers:
      provider === 'twilio'
        ? { 'content-type': 'application/x-www-form-urlencoded', 'x-twilio-signature': 'd3Jvbmc=' }
        : { 'content-type': 'application/json', 'x-hub-signature-256': `sha256=${'0'.repeat(64)}` },
    body: provider === 'twilio' ? 'MessageSid=SM1&From=whatsapp%3A%2B1&Body=hi' : '{"object":"page","entry":[]}',
  };
}

export async function expectStatus(pool: Pool, status: number, { path, ...asked }: Asked): Promise<number> {
  const sentAt = performance.now();
  const answer = await pool.request({ ...asked, path });
  const text = await answer.body.text();
  if (answer.statusCode !== status) throw new Error(`${path.slice(0, 30)}: ${answer.statusCode} ${text.slice(0, 200)}`);
  return performance.now() - sentAt;
}
