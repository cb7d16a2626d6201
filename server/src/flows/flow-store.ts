import type { FlowId } from '@switchyard/contract';
import { done, type Result } from '#kernel';
import type { Row, WorkspaceTx } from '#storage';
import { type Flow, type FlowRefusal, parseFlow } from './definition.ts';
import { demoFlow } from './demo-flow.ts';

export interface FlowsDoor {
  /**
   * The workspace's active flow (the one made last where several are active), the demo flow where it has none.
   * Refuses when the stored definition is not valid, which only another version's writing can cause. Asked once a
   * transaction, however many turns it holds.
   */
  loadActiveFlow(tx: WorkspaceTx): Promise<Result<Flow, FlowRefusal>>;
  /** Newest first, at most `maxListedFlows`; without their definitions. */
  listFlows(tx: WorkspaceTx): Promise<readonly FlowSummary[]>;
}

export interface FlowSummary {
  readonly id: FlowId;
  readonly name: string;
  readonly version: number;
  readonly isActive: boolean;
  readonly createdAt: Date;
}

export const maxListedFlows = 200;

interface ActiveRow extends Row {
  id: FlowId;
  version: number;
}

const maxParsedFlows = 500;

/** Keeps parsed flows of this process: a stored version never changes, so there is nothing to invalidate. */
export function createFlows(): FlowsDoor {
  const parsed = new Map<string, Flow>();
  const askedIn = new WeakMap<WorkspaceTx, Promise<Result<Flow, FlowRefusal>>>();

  async function load(tx: WorkspaceTx): Promise<Result<Flow, FlowRefusal>> {
    const active = await findActive(tx);
    if (active === undefined) return done(demoFlow);
    const key = `${active.id}/${active.version}`;
    const held = parsed.get(key);
    if (held) return done(held);
    const flow = parseFlow(await loadDefinition(tx, active.id));
    if (flow.ok) keep(parsed, key, flow.value);
    return flow;
  }

  return {
    listFlows,
    loadActiveFlow(tx) {
      const asked = askedIn.get(tx) ?? load(tx);
      askedIn.set(tx, asked);
      return asked;
    },
  };
}

async function findActive(tx: WorkspaceTx): Promise<ActiveRow | undefined> {
  const [row] = await tx.query<ActiveRow>(
    'SELECT id, version FROM flows WHERE workspace_id = $1 AND is_active ORDER BY id DESC LIMIT 1',
    [tx.workspaceId],
    'flows_find_active',
  );
  return row;
}

async function listFlows(tx: WorkspaceTx): Promise<readonly FlowSummary[]> {
  return tx.query<Row & FlowSummary>(
    `SELECT id, name, version, is_active AS "isActive", created_at AS "createdAt" FROM flows
      WHERE workspace_id = $1 ORDER BY id DESC LIMIT ${maxListedFlows}`,
    [tx.workspaceId],
    'flows_list',
  );
}

async function loadDefinition(tx: WorkspaceTx, id: FlowId): Promise<unknown> {
  const [row] = await tx.query('SELECT definition FROM flows WHERE workspace_id = $1 AND id = $2', [
    tx.workspaceId,
    id,
  ]);
  return row?.definition;
}

function keep(parsed: Map<string, Flow>, key: string, flow: Flow): void {
  const oldest = parsed.keys().next().value;
  if (parsed.size >= maxParsedFlows && oldest !== undefined) parsed.delete(oldest);
  parsed.set(key, flow);
}
