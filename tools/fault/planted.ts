/** Bugs that the checker must catch, planted in a copy of the server's sources: nothing of them is in the product. */
import { type Edit, makeEditedCopy } from '../edited-copy.ts';
import type { PlantName } from './asked.ts';
import type { Report } from './report.ts';
import { crashPoints } from './runs/crash-points.ts';
import { soak } from './runs/soak.ts';

/** What all planted runs are given. */
interface PlantedRun {
  readonly home: string;
  readonly seed: number;
  readonly template?: string;
}

interface Plant {
  readonly edits: readonly Edit[];
  /** A short run that walks over the planted place. */
  readonly run: (where: PlantedRun) => Promise<Report>;
}

export const plants = {
  'acknowledge-before-commit': {
    edits: [
      {
        file: 'gateway/deliver.ts',
        find: "  crashPoint('gateway.before-store');\n",
        put: "  answer(exchange, success);\n  crashPoint('gateway.before-store');\n",
      },
    ],
    run: (where) => crashPoints({ ...brief, ...where, only: ['gateway.before-store', 'inbox.before-insert'] }),
  },
  'drop-the-unique-key': {
    edits: [],
    run: (where) =>
      soak({
        ...{ ...quiet, webhooks: 300, ratePerSecond: brief.ratePerSecond, ...where },
        // A repetition beside its first in one batch never meets the key: so many of them.
        duplicateShare: 0.5,
        prepare: async ({ cluster }) => {
          await cluster.ask('ALTER TABLE event_keys DROP CONSTRAINT event_keys_pkey');
        },
      }),
  },
  'release-the-lock-early': {
    edits: [
      {
        file: 'inbox/turns/turn-store.ts',
        find: `AND c.lease_epoch = ours.epoch\n       ORDER BY c.id FOR NO KEY UPDATE OF c \${isAlone ? '' : 'SKIP LOCKED'})`,
        put: 'ORDER BY c.id)',
      },
      {
        file: 'inbox/turns/turn-store.ts',
        find: "leased_until = clock_timestamp() + $2 * interval '1 millisecond'",
        put: "leased_until = clock_timestamp() + $2 * interval '0 millisecond'",
      },
      // The net below it: an event that has ended already is not ended again.
      {
        file: 'inbox/turns/turn-store.ts',
        find: "WHERE e.workspace_id = $1 AND e.id = g.event_id AND e.state = 'pending' RETURNING e.id)",
        put: 'WHERE e.workspace_id = $1 AND e.id = g.event_id RETURNING e.id)',
      },
      // A turn at once needs no lease: so that every turn goes the long way, where the bug is.
      { file: 'inbox/turns/turn-limits.ts', find: '  turnsAtOnce: 32,\n', put: '  turnsAtOnce: 0,\n' },
    ],
    run: (
      where, // Few customers, who write while they are being answered.
    ) => soak({ ...quiet, webhooks: 1_500, conversations: 100, ratePerSecond: 100, drainMs: 15_000, ...where }),
  },
  'resend-blindly': {
    edits: [
      {
        file: 'outbox/states.ts',
        find: "release: { from: ['claimed'], to: 'queued' }",
        put: "release: { from: ['claimed', 'sending'], to: 'queued' }",
      },
    ],
    // A receipt that comes before the sweep settles what would have gone out twice: so several times.
    run: (where) => crashPoints({ ...brief, ...where, hits: 4, only: ['outbox.answered', 'outbox.before-record'] }),
  },
  'apply-only-the-first-receipt': {
    edits: [
      {
        file: 'channels/meta/normalise.ts',
        find: '  return readEnvelope(input.body, {',
        put: '  return firstReceiptOf(input.body, {',
      },
      {
        file: 'channels/meta/normalise.ts',
        find: 'function readEntry(',
        put: `function firstReceiptOf(...asked: Parameters<typeof readEnvelope>): Normalised {
  const read = readEnvelope(...asked);
  const first = read.events.find((event) => event.kind === 'status');
  return { ...read, events: read.events.filter((event) => event.kind !== 'status' || event === first) };
}

function readEntry(`,
      },
    ],
    run: (where) => soak({ ...quiet, webhooks: 150, ratePerSecond: 60, receiptsTogether: 20, ...where }),
  },
} as const satisfies Record<PlantName, Plant>;

const brief = { hits: 1, ratePerSecond: 30 } as const;
/** Nobody strikes anything: the bug alone does. */
const quiet = { kills: 0, faults: [] } as const;

export async function runPlanted(
  name: PlantName,
  { seed, template }: { readonly seed: number; readonly template?: string | undefined },
): Promise<Report> {
  const { home, remove } = makeEditedCopy(plants[name].edits);
  try {
    const report = await plants[name].run({ home, seed, ...(template ? { template } : {}) });
    return { ...report, name: `planted ${name}` };
  } finally {
    remove();
  }
}
