/** The door of monitoring: the ledger's balance, alarms, canaries, the rhythm of numbers, and the search for traces. */
import type { AccountId } from '@switchyard/contract';
import { createLedger, type Ledger, type LedgerDeps } from '#inbox';
import type { WorkspaceTx } from '#storage';
import type { CredentialDeps } from './accounts/credentials.ts';
import { type Alarms, type AlarmsDeps, createAlarms } from './alarms/index.ts';
import type { CanaryDeps } from './canary/canary.ts';
import { type Canaries, createCanaries, type SeenRun } from './canary/index.ts';
import { monitoringJobs, type ScheduledJob } from './monitoring-jobs.ts';
import type { RefusingDeps } from './refusing/index.ts';
import { type FoundTrace, searchTraces } from './trace/index.ts';
import { type JudgedAccount, judgeAccounts } from './watch.ts';

export interface WatchedNumber extends JudgedAccount {
  /** null: no canary is sent. */
  readonly everyMinutes: number | null;
  readonly lastRun: SeenRun | null;
}

export interface Monitoring {
  readonly ledger: Ledger;
  readonly alarms: Alarms;
  readonly canaries: Canaries;
  /** Every account, how quiet it is, and how its canary is. */
  numbers(tx: WorkspaceTx): Promise<readonly WatchedNumber[]>;
  /** By phone number, by an id of a provider's, by any of ours. */
  search(tx: WorkspaceTx, text: string): Promise<readonly FoundTrace[]>;
  /** For the queue `maintenance`. */
  readonly jobs: Readonly<Record<string, ScheduledJob>>;
}

export type MonitoringDeps = AlarmsDeps &
  CanaryDeps &
  Pick<LedgerDeps, 'countForwarded' | 'findKeptSince'> &
  Pick<RefusingDeps, 'storage' | 'oweLooks'> &
  CredentialDeps;

export function createMonitoring(deps: MonitoringDeps): Monitoring {
  const ledger = createLedger(deps);
  const alarms = createAlarms(deps);
  const canaries = createCanaries(deps);
  return {
    ledger,
    alarms,
    canaries,
    async numbers(tx) {
      const schedules = await canaries.schedules(tx);
      const runs = new Map<AccountId, SeenRun>((await canaries.latest(tx, 1)).map((run) => [run.accountId, run]));
      return (await judgeAccounts(tx, deps.clock.now())).map((account) => ({
        ...account,
        everyMinutes: schedules.get(account.accountId) ?? null,
        lastRun: runs.get(account.accountId) ?? null,
      }));
    },
    search: (tx, text) => searchTraces(tx, deps.channels, text),
    jobs: monitoringJobs({ ...deps, ledger, alarms, canaries }),
  };
}
