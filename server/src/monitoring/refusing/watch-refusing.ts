import type { WorkspaceId } from '@switchyard/contract';
import type { Storage, Tx } from '#storage';
import type { Alarms } from '../alarms/index.ts';
import { listReceiving, listWithIncident } from '../watched-store.ts';
import { judgeRefusals, type Refusal, type RefusingFacts } from './refusing.ts';
import { deleteRefusals, markTold, readRefusals } from './refusing-store.ts';

export interface RefusingDeps {
  readonly storage: Pick<Storage, 'workerStatement' | 'asWorker'>;
  readonly alarms: Pick<Alarms, 'report'>;
  /** What was refused may never come again: a look at every provider that can be asked is owed. In the given transaction. */
  readonly oweLooks?: (tx: Tx, from: Date, until: Date) => Promise<unknown>;
}

type InEach = (ids: readonly WorkspaceId[], work: (id: WorkspaceId) => Promise<void>) => Promise<void>;

/**
 * One incident in each workspace that waits for webhooks, for all processes together. While nothing changes only those are
 * written to that have none yet: a server that is pressed hard is not pressed harder by it.
 */
export async function watchRefusing(deps: RefusingDeps, inEach: InEach): Promise<void> {
  const { storage } = deps;
  const read = await readRefusals(storage);
  const verdict = judgeRefusals(read);
  switch (verdict.kind) {
    case 'refusing':
      await inEach(await listReceiving(storage, verdict.isNews ? 'all' : 'untold'), (id) =>
        tell(deps, id, verdict.facts),
      );
      return markTold(storage, read.refusals);
    case 'waiting':
      return;
    case 'none':
    case 'over':
      await inEach(await listWithIncident(storage, 'refusing'), (id) => deps.alarms.report(id, 'refusing', []));
      return forget(deps, read.refusals);
  }
}

function tell({ alarms }: RefusingDeps, workspaceId: WorkspaceId, facts: RefusingFacts): Promise<void> {
  return alarms.report(workspaceId, 'refusing', [{ subject: 'webhooks', accountId: null, facts }]);
}

/** A gap in the signs of life has its looks already. */
async function forget({ storage, oweLooks }: RefusingDeps, refusals: readonly Refusal[]): Promise<void> {
  if (refusals.length === 0) return;
  await storage.asWorker(async (tx) => {
    const gone = new Set(await deleteRefusals(tx, refusals));
    const refused = refusals.filter(({ id, reasons }) => gone.has(id) && !reasons.includes('away'));
    if (refused.length === 0) return;
    const from = Math.min(...refused.map(({ beganAt }) => beganAt.getTime()));
    const until = Math.max(...refused.map(({ lastAt }) => lastAt.getTime()));
    await oweLooks?.(tx, new Date(from), new Date(until));
  });
}
