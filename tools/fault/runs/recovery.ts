/** How long the others took to be whole again after each blow. */
import { readAcked } from '../check/witnesses.ts';
import type { Stage } from '../stage/stage.ts';
import { type Aim, aimsOf, recoveryMayTakeMs, type Target } from './aims.ts';

export interface Kill {
  readonly target: Target;
  readonly how: string;
  readonly atMs: number;
  /** When the old process was gone, of one that was told to end: what it still answered until then is no recovery. */
  readonly goneMs?: number;
  /** When it stood again. Left out: somebody will have written after that in any case. */
  readonly backMs?: number;
  /** Of the gateway that was struck. */
  readonly port?: number;
}

export interface Recovery {
  /** null: nothing was struck, or not everybody was seen whole again. */
  readonly longestMs: number | null;
  readonly byKind: Readonly<Record<string, number>>;
  /** Blows after which nobody was whole again, by kind. */
  readonly never: readonly string[];
  /** Blows after which nobody wrote to those who were struck, by kind: too short a run to see it. */
  readonly unseen: readonly string[];
  readonly aims: readonly Aim[];
}

/** What the load generator tells. */
export interface AskedAndAcked {
  readonly ackedFile: string;
  readonly lastAskedMs: Readonly<Record<number, number>>;
}

/** An acknowledgement so soon after the blow, or after the end of the old process, was on its way before it. */
const slackMs = 50;

/**
 * Gateway: until it acknowledges again itself. Postgres, Redis: until anybody does. Worker: until a message is handled
 * again; and beside it, `backlog`: until everything that was received before the blow has been handled, later blows
 * included.
 */
export async function recoveryOf(
  stage: Stage,
  kills: readonly Kill[],
  { ackedFile, lastAskedMs }: AskedAndAcked,
): Promise<Recovery> {
  const lastOf = ({ port }: Kill) =>
    port === undefined ? Math.max(0, ...Object.values(lastAskedMs)) : (lastAskedMs[port] ?? 0);
  const acks = (await readAcked(ackedFile)).toSorted((a, b) => a.ackedMs - b.ackedMs);
  const seen: Seen[] = [];
  for (const kill of kills) {
    const atMs =
      kill.target === 'worker'
        ? await nextHandled(stage, kill.atMs)
        : acks.find(
            (ack) =>
              ack.ackedMs > (kill.goneMs ?? kill.atMs) + slackMs && (kill.port === undefined || ack.port === kill.port),
          )?.ackedMs;
    const wasAsked = kill.backMs === undefined || lastOf(kill) > kill.backMs;
    seen.push({ kind: kindOf(kill), tookMs: typeof atMs === 'number' ? atMs - kill.atMs : null, wasAsked });
  }
  const recovery = summed(seen);
  const backlog: Seen[] = [];
  for (const kill of kills) {
    const atMs = await allHandled(stage, kill.atMs);
    if (atMs !== null) backlog.push({ kind: 'backlog', tookMs: atMs - kill.atMs });
  }
  return { ...recovery, byKind: { ...recovery.byKind, ...summed(backlog).byKind } };
}

interface Seen {
  readonly kind: string;
  /** null: nobody was whole again. */
  readonly tookMs: number | null;
  /** False: nobody wrote to them any more. */
  readonly wasAsked?: boolean;
}

/** The worst of each kind, and of all; of all only where everybody was seen. */
export function summed(seen: readonly Seen[]): Recovery {
  const byKind: Record<string, number> = {};
  for (const { kind, tookMs } of seen) if (tookMs !== null) note(byKind, kind, tookMs);
  const left = seen.filter(({ tookMs }) => tookMs === null);
  const kindsOf = (some: readonly Seen[]) => [...new Set(some.map(({ kind }) => kind))];
  const isTold = seen.length > 0 && left.length === 0;
  return {
    longestMs: isTold ? Math.max(...Object.values(byKind)) : null,
    byKind,
    never: kindsOf(left.filter(({ wasAsked }) => wasAsked !== false)),
    unseen: kindsOf(left.filter(({ wasAsked }) => wasAsked === false)),
    aims: aimsOf(seen),
  };
}

/** What is wrong, in words. */
export function judgeRecovery({ never, aims }: Recovery): string[] {
  const slow = aims.filter(({ worstMs }) => worstMs > recoveryMayTakeMs);
  return [
    ...never.map((kind) => `after "${kind}" nobody was whole again`),
    ...slow.map(({ kind, worstMs }) => `after "${kind}" it took ${worstMs} ms, more than ${recoveryMayTakeMs}`),
  ];
}

/** A crash point is named after itself; those are told together. */
function kindOf({ target, how }: Kill): string {
  return how.includes('.') ? target : `${target} ${how}`;
}

function note(byKind: Record<string, number>, name: string, ms: number): void {
  byKind[name] = Math.max(byKind[name] ?? 0, Math.max(0, Math.round(ms)));
}

async function nextHandled(stage: Stage, atMs: number): Promise<number | null> {
  const [row] = await stage.cluster.ask<{ ms: number | null }>(
    `SELECT extract(epoch FROM min(settled_at))::float8 * 1000 AS ms FROM events
     WHERE kind = 'message' AND settled_at > to_timestamp($1 / 1000.0)`,
    [atMs],
  );
  return row?.ms ?? null;
}

async function allHandled(stage: Stage, atMs: number): Promise<number | null> {
  const [row] = await stage.cluster.ask<{ ms: number | null }>(
    `SELECT extract(epoch FROM max(settled_at))::float8 * 1000 AS ms FROM events
     WHERE kind = 'message' AND type <> 'reaction' AND received_at < to_timestamp($1 / 1000.0)`,
    [atMs],
  );
  return row?.ms ?? null;
}
