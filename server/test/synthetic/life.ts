/** One life of a worker that does the synthetic works, in a process of its own: started by the test, struck where it says. */
import { writeSync } from 'node:fs';
import { flushCompileCache } from 'node:module';
import type { AccountId, ConversationId, WorkspaceId } from '@switchyard/contract';
import { createLoop, silentLog, systemClock } from '#kernel';
import type { RoleUrls } from '#storage';
// Past the rooms' doors, which would load all of them: this process is started many times.
import { createPressureWatch } from '../../src/monitoring/pressure/index.ts';
import { createOutbox } from '../../src/outbox/create-outbox.ts';
import { openDatabase } from '../../src/storage/database/open-database.ts';
import { createPostgresEngines } from '../../src/storage/engines/postgres-engines.ts';
import {
  type Blow,
  copyRows,
  type Kind,
  type Place,
  planCampaign,
  sendReminders,
  takeOrder,
  type Workshop,
} from './works.ts';

export interface LifeOptions {
  readonly urls: RoleUrls;
  readonly workspaceId: WorkspaceId;
  readonly accountId: AccountId;
}

/** Sent when the process has said that it is ready; then, once, `stop`. */
export interface Go {
  readonly kinds: readonly Kind[];
  readonly blow: Blow | null;
}

const options: LifeOptions = JSON.parse(process.argv[2] ?? '');
const { urls, workspaceId, accountId } = options;
const log = silentLog;
const storage = await openDatabase({
  ...{ urls, log, allowUnsafe: true, poolSizes: { app: 4, gateway: 1, worker: 1 } },
});
const engines = await createPostgresEngines({
  ...{ connectionString: urls.app, log, jobTimes: { firstRetryMs: 20, lockMs: 1_000 } },
});
const outbox = createOutbox({
  doorbell: engines.doorbell,
  providerIdsKnown: async () => {},
  noteChange: () => {},
  log,
});
const pressure = createPressureWatch({ storage, dataFolder: null, clock: systemClock, log });
const stopping = new AbortController();
const received = (): Promise<unknown> => new Promise((resolve) => process.once('message', resolve));

flushCompileCache();
process.send?.('ready');
const go = (await received()) as Go;
let passes = 0;
const shop: Workshop = { storage, outbox, pressure, workspaceId, accountId, strike };
const reminders = createLoop({
  ...{ name: 'reminders', idleMs: 20, afterErrorMs: 20, log },
  step: () => sendReminders(shop),
});
const begin: Record<Kind, () => Promise<void> | void> = {
  order: () =>
    engines.jobs.work(
      'order-processing',
      ({ payload }) => {
        const { key, conversationId } = payload as { readonly key: string; readonly conversationId: ConversationId };
        return takeOrder(shop, key, conversationId);
      },
      { concurrency: 4, maxAttempts: 5 },
    ),
  reminder: () => reminders.start(),
  campaign: () =>
    engines.jobs.work('campaigns', () => planCampaign(shop, stopping.signal), { concurrency: 2, maxAttempts: 5 }),
  copy: () =>
    engines.jobs.work('migrations', () => copyRows(shop, stopping.signal), { concurrency: 2, maxAttempts: 5 }),
};
const told = received();
for (const kind of go.kinds) await begin[kind]();
await told;
stopping.abort();
await reminders.stop();
await engines.close();
await storage.close();
process.disconnect();

function strike(place: Place): void {
  if (go.blow?.place !== place) return;
  passes += 1;
  if (passes !== go.blow.pass) return;
  writeSync(1, `${place}\n`);
  process.kill(process.pid, go.blow.how);
}
