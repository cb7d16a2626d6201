/** A server of its own, on a free port and an empty folder, with an account for each provider id that the payloads name. */
import { randomBytes } from 'node:crypto';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Provider } from '../../contract/src/index.ts';
import { runCommand, startServer } from '../bench/processes.ts';
import { freePort } from '../free-ports.ts';

export interface Shop {
  readonly url: string;
  readonly secret: string;
  /** As a program with a key of the workspace that has the accounts. */
  api<Answer>(method: 'GET' | 'POST', path: string, body?: object): Promise<Answer>;
  /** Of deliveries that came by a route of many accounts. */
  operatorApi<Answer>(path: string): Promise<Answer>;
  close(): Promise<void>;
}

export async function openShop(): Promise<Shop> {
  const folder = mkdtempSync(join(tmpdir(), 'switchyard-conformance-'));
  // The database's own system user must be able to pass through.
  chmodSync(folder, 0o755);
  const port = await freePort();
  const secret = randomBytes(16).toString('hex');
  const env = {
    SWITCHYARD_DATA: folder,
    SWITCHYARD_DEMO: '0',
    SWITCHYARD_LOG: 'warn',
    HOST: '127.0.0.1',
    PORT: String(port),
    ...ownSettings(secret),
  };
  try {
    const server = await startServer(env);
    const url = `http://127.0.0.1:${port}`;
    await runCommand(['workspace', 'create', 'Conformance'], env);
    const key = await keyOf('conformance', env);
    return {
      url,
      secret,
      api: (method, path, body) => ask(`${url}/api/v1${path}`, { key, method, body }),
      operatorApi: async (path) =>
        ask(`${url}/api/v1${path}`, { key: await keyOf('operator', env), method: 'GET', body: undefined }),
      async close() {
        await server.stop();
        rmSync(folder, { recursive: true, force: true });
      },
    };
  } catch (error) {
    rmSync(folder, { recursive: true, force: true });
    throw error;
  }
}

/** Nothing of the surroundings may reach this server: not their database, not their Redis, not their secrets. */
function ownSettings(secret: string): Record<string, string> {
  const none = ['DATABASE_URL', 'DB_HOST', 'REDIS_URL', 'REDIS_HOST', 'PUBLIC_URL', 'ROLES', 'SWITCHYARD_KEY'];
  return {
    ...Object.fromEntries(none.map((name) => [name, ''])),
    META_APP_SECRET: secret,
    INSTAGRAM_APP_SECRET: secret,
    // No reply of the bot may leave this machine.
    META_GRAPH_URL: 'http://127.0.0.1:9',
    INSTAGRAM_GRAPH_URL: 'http://127.0.0.1:9',
    TWILIO_API_URL: 'http://127.0.0.1:9',
    EVOLUTION_API_URL: 'http://127.0.0.1:9',
    WEBJS_COMPANION_URL: 'http://127.0.0.1:9',
  };
}

async function keyOf(workspace: string, env: Readonly<Record<string, string>>): Promise<string> {
  return (await runCommand<{ key: string }>(['api-key', 'create', '--workspace', workspace], env)).key;
}

async function ask<Answer>(
  url: string,
  request: { readonly key: string; readonly method: string; readonly body: object | undefined },
): Promise<Answer> {
  const answer = await fetch(url, {
    method: request.method,
    headers: { authorization: `Bearer ${request.key}`, 'content-type': 'application/json' },
    ...(request.body ? { body: JSON.stringify(request.body) } : {}),
  });
  const text = await answer.text();
  if (!answer.ok) throw new Error(`${request.method} ${url} was answered ${answer.status}: ${text.slice(0, 300)}`);
  return JSON.parse(text) as Answer;
}

export interface WantedAccount {
  readonly provider: Provider;
  readonly settings: Readonly<Record<string, string>>;
}

/** The path of its webhook. Every secret is the shop's one. */
export async function addAccount(shop: Shop, wanted: WantedAccount, verifyToken: string): Promise<string> {
  const secretNames: Readonly<Record<Provider, readonly string[]>> = {
    meta: ['accessToken', 'appSecret'],
    instagram: ['accessToken', 'appSecret'],
    twilio: ['authToken'],
    evolution: ['apiKey'],
    webjs: ['webhookKey'],
  };
  const secrets = {
    ...Object.fromEntries(secretNames[wanted.provider].map((name) => [name, shop.secret])),
    ...(verifyToken ? { verifyToken } : {}),
  };
  const made = await shop.api<{ webhookUrl: string }>('POST', '/accounts', { ...wanted, secrets, isActive: true });
  return new URL(made.webhookUrl).pathname;
}
