/** A server of its own with one workspace and one Meta account, in a data folder that is removed afterwards. */
import { chmodSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openOwnerDatabase, openProduct } from '../../server/src/compose/index.ts';
import { parseConfig } from '../../server/src/config.ts';
import { silentLog } from '../../server/src/kernel/index.ts';
import { freePort } from '../free-ports.ts';
import type { MetaTarget } from './meta-body.ts';
import { runCommand } from './processes.ts';

export interface Shop {
  readonly env: Readonly<Record<string, string>>;
  readonly port: number;
  readonly target: MetaTarget;
  readonly token: string;
  /** The shop's workspace. */
  readonly workspaceId: string;
  /** Process id of the embedded database. */
  postmaster(): number;
  remove(): void;
}

export async function makeShop(more: Readonly<Record<string, string>> = {}): Promise<Shop> {
  const folder = mkdtempSync(join(tmpdir(), 'switchyard-bench-'));
  // The database's own user must be able to pass through.
  chmodSync(folder, 0o711);
  const port = await freePort();
  const env = { SWITCHYARD_DATA: folder, SWITCHYARD_DEMO: '0', SWITCHYARD_LOG: 'warn', PORT: String(port), ...more };
  const appSecret = 'an-app-secret-for-the-benchmark';
  const phoneNumberId = '106540352242922';
  await runCommand(['db', 'migrate'], env);
  const { workspace } = await runCommand<{ workspace: { id: string } }>(['workspace', 'create', 'Bench'], env);
  const added = await runCommand<{ token: string }>(
    [
      'account',
      'add',
      '--workspace',
      workspace.id,
      '--provider',
      'meta',
      '--phone',
      '+15550783881',
      '--active',
      '--setting',
      `phoneNumberId=${phoneNumberId}`,
      '--setting',
      'wabaId=102290129340398',
      '--secret',
      `appSecret=${appSecret}`,
      '--secret',
      'accessToken=an-access-token',
    ],
    env,
  );
  return {
    env,
    port,
    workspaceId: workspace.id,
    token: added.token,
    target: { path: `/webhooks/meta/whatsapp/${added.token}`, appSecret, phoneNumberId, displayNumber: '15550783881' },
    postmaster: () => Number(readFileSync(join(folder, 'postgres', 'data', 'postmaster.pid'), 'utf8').split('\n')[0]),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}

/** More numbers of the same shop, all signed with the same app secret. */
export async function addAccounts(shop: Shop, count: number): Promise<readonly MetaTarget[]> {
  const targets: MetaTarget[] = [shop.target];
  const config = parseConfig(shop.env);
  const product = await openProduct(config, silentLog);
  try {
    const workspace = await product.workspaces.find(shop.workspaceId);
    for (let number = 1; number < count && workspace; number += 1) {
      const phoneNumberId = String(106_540_352_300_000 + number);
      const displayNumber = String(15_550_790_000 + number);
      const made = await product.accounts.create(workspace.id, {
        provider: 'meta',
        phoneNumber: `+${displayNumber}`,
        settings: { phoneNumberId, wabaId: '102290129340398' },
        secrets: { appSecret: shop.target.appSecret, accessToken: 'an-access-token' },
        isActive: true,
      });
      if (!made.ok) throw new Error(made.refusal.detail);
      targets.push({
        ...shop.target,
        path: `/webhooks/meta/whatsapp/${made.value.token}`,
        phoneNumberId,
        displayNumber,
      });
    }
    return targets;
  } finally {
    await product.close();
  }
}

/** The owner's log-in on the running database: for the baseline's own table. */
export async function ownerUrlOf(shop: Shop): Promise<string> {
  const owner = await openOwnerDatabase(parseConfig(shop.env), silentLog);
  await owner.close();
  return owner.ownerUrl;
}

/** The worker's log-in, which sees the queues of all workspaces. */
export async function workerUrlOf(shop: Shop): Promise<string> {
  const owner = await openOwnerDatabase(parseConfig(shop.env), silentLog);
  await owner.close();
  return owner.roleUrls.worker;
}
