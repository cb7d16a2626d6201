/** What the companion asks of the server. Each call is signed anew; none is repeated here. */
import { freshNonce, serverHeaders, webhookHeaders } from './sign.ts';

export interface ActiveAccount {
  readonly id: string;
  readonly workspaceId: string;
  readonly session: string;
  /** Grows when a person asks for a new QR code. */
  readonly generation: number;
  readonly isLeased: boolean;
}

/** Of the account, as they were at the last renewal. */
export interface LeaseKeys {
  readonly webhookUrl: string;
  readonly webhookKey: string;
  readonly apiKey: string | null;
}

export interface Lease extends LeaseKeys {
  readonly fence: number;
  readonly leaseMs: number;
}

export interface Broadcast {
  readonly event: 'qr-code-generated' | 'account-status-changed';
  readonly data: Readonly<Record<string, unknown>>;
}

export interface ServerClient {
  listActive(): Promise<readonly ActiveAccount[]>;
  /** null: another machine holds it. */
  takeLease(
    accountId: string,
    wish: { readonly holder: string; readonly leaseMs: number; readonly url: string },
  ): Promise<Lease | null>;
  /** null: an older server, which does not tell them. Throws LeaseLost. */
  renewLease(
    accountId: string,
    held: { readonly holder: string; readonly fence: number; readonly leaseMs: number },
  ): Promise<LeaseKeys | null>;
  giveBackLease(accountId: string, held: { readonly holder: string; readonly fence: number }): Promise<void>;
  readState(accountId: string, names: readonly string[]): Promise<Readonly<Record<string, string>>>;
  /** Throws LeaseLost: nothing was written. */
  writeState(accountId: string, fence: number, changes: Readonly<Record<string, string | null>>): Promise<void>;
  clearState(accountId: string, fence: number): Promise<void>;
  /** Throws LeaseLost. */
  broadcast(fence: number, broadcast: Broadcast): Promise<void>;
  /** Throws ServerAway where the server may take it later, ServerRefused where it will not. */
  postWebhook(keys: LeaseKeys, body: string): Promise<void>;
}

/** Not now: the network, the server's own fault, or too much at once. */
export class ServerAway extends Error {
  override readonly name = 'ServerAway';
}

export class ServerRefused extends Error {
  override readonly name = 'ServerRefused';
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

/** The newest fence is another's: this session must not go on here. */
export class LeaseLost extends Error {
  override readonly name = 'LeaseLost';
}

const callMs = 10_000;
const base = '/api/whatsapp/accounts';

export interface ServerClientOptions {
  readonly serverUrl: string;
  readonly key: { readonly id: string; readonly secret: string };
  readonly nowMs: () => number;
}

export function createServerClient(options: ServerClientOptions): ServerClient {
  const { serverUrl, key, nowMs } = options;
  // The server may be under a path of a proxy's: what is signed is what the server sees, so such a path is no part of it.
  const origin = serverUrl;

  async function call(method: string, target: string, content?: object): Promise<unknown> {
    const body = content === undefined ? '' : JSON.stringify(content);
    const signed = serverHeaders(key, { method, target, body }, { nowMs: nowMs(), nonce: freshNonce() });
    const headers = { ...signed, ...(body === '' ? {} : { 'content-type': 'application/json' }) };
    const answer = await ask(`${origin}${target}`, { method, headers, ...(body === '' ? {} : { body }) });
    if (answer.ok) return answer.json();
    throw await refusalOf(answer);
  }

  return {
    async listActive() {
      const { data } = (await call('GET', `${base}/active`)) as { data: readonly ActiveRow[] };
      return data.map(accountOf);
    },
    async takeLease(accountId, { holder, leaseMs, url }) {
      try {
        const wish = { holder, lease_ms: leaseMs, url };
        const { data } = (await call('POST', `${base}/${accountId}/lease`, wish)) as { data: LeaseRow };
        return { fence: data.fence, leaseMs: data.lease_ms, ...keysOf(data) };
      } catch (error) {
        if (error instanceof LeaseLost) return null;
        throw error;
      }
    },
    async renewLease(accountId, { holder, fence, leaseMs }) {
      const answer = await call('PUT', `${base}/${accountId}/lease`, { holder, fence, lease_ms: leaseMs });
      const { data } = answer as { data?: LeaseRow };
      return data ? keysOf(data) : null;
    },
    async giveBackLease(accountId, { holder, fence }) {
      await call('POST', `${base}/${accountId}/lease/release`, { holder, fence });
    },
    async readState(accountId, names) {
      const answer = await call('POST', `${base}/${accountId}/session-state/read`, { names });
      return (answer as { data: Record<string, string> }).data;
    },
    async writeState(accountId, fence, changes) {
      await call('POST', `${base}/${accountId}/session-state/write`, { fence, changes });
    },
    async clearState(accountId, fence) {
      await call('POST', `${base}/${accountId}/session-state/clear`, { fence });
    },
    async broadcast(fence, { event, data }) {
      await call('POST', `${base}/broadcast?fence=${fence}`, { event, data });
    },
    async postWebhook(keys, body) {
      const headers = webhookHeaders(keys.webhookKey, body, { nowMs: nowMs(), nonce: freshNonce() });
      const url = new URL(keys.webhookUrl, `${origin}/`);
      // We know the server by our own address for it; its public one may lead through a proxy that we cannot reach.
      const answer = await ask(`${origin}${url.pathname}`, {
        method: 'POST',
        headers: { ...headers, 'content-type': 'application/json' },
        body,
      });
      if (answer.ok) return;
      throw await refusalOf(answer);
    },
  };
}

async function ask(url: string, init: RequestInit): Promise<Response> {
  try {
    return await fetch(url, { ...init, redirect: 'error', signal: AbortSignal.timeout(callMs) });
  } catch (cause) {
    throw new ServerAway('the server cannot be reached', { cause });
  }
}

async function refusalOf(answer: Response): Promise<Error> {
  const told = await answer.text().catch(() => '');
  const { status } = answer;
  if (status >= 500 || status === 429 || status === 408) return new ServerAway(`the server answered HTTP ${status}`);
  if (status === 409) return new LeaseLost('another machine holds this session');
  return new ServerRefused(status, `the server answered HTTP ${status}: ${told.slice(0, 200)}`);
}

interface ActiveRow {
  readonly id: string;
  readonly workspace_id: string;
  readonly session: string;
  readonly generation: number;
  readonly leased_until: string | null;
}

function accountOf(row: ActiveRow): ActiveAccount {
  const { id, session, generation } = row;
  return { id, session, generation, workspaceId: row.workspace_id, isLeased: row.leased_until !== null };
}

interface LeaseRow {
  readonly fence: number;
  readonly lease_ms: number;
  readonly webhook_url: string;
  readonly webhook_key: string;
  readonly api_key: string | null;
}

function keysOf(row: LeaseRow): LeaseKeys {
  return { webhookUrl: row.webhook_url, webhookKey: row.webhook_key, apiKey: row.api_key };
}
