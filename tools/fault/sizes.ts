/**
 * How many webhooks, blows and messages a second, where nobody said: so that each blow falls under load and leaves time to
 * see everybody whole again. Pure.
 */
import { type FaultOptions, type RunName, WrongUse } from './asked.ts';

interface Size {
  readonly webhooks: number;
  /** For each of which one blow is dealt. */
  readonly webhooksEach: number;
  /** As many as there are kinds, so that a short run has each of them. */
  readonly killsAtLeast: number;
}

const sizes = {
  soak: { webhooks: 3_000, webhooksEach: 600, killsAtLeast: 1 },
  postgres: { webhooks: 3_000, webhooksEach: 375, killsAtLeast: 5 },
  redis: { webhooks: 3_000, webhooksEach: 500, killsAtLeast: 3 },
} as const satisfies Partial<Record<RunName, Size>>;
export type SizedRun = keyof typeof sizes;

/** A blow, the start of what fell, and some load after it. */
const usualSecondsEach = 6;
/** In less time nothing that was killed stands again. */
const leastSecondsEach = 2.5;
/** Fewer between two blows are hardly a load. */
const fewWebhooks = 10;
const usualRate = 60;
const leastRate = 1;
/** By `noisy-neighbour`, in both halves. */
const leastCompared = 100;

/**
 * Of all parts together. Throws WrongUse for blows that have no room. What has no blows to size is given back as it is.
 */
export function sized(name: RunName, options: FaultOptions): FaultOptions {
  if (name === 'noisy-neighbour') refuseFew(options.webhooks);
  if (!isSized(name)) return options;
  const { rate } = options;
  const { webhooks, kills } = sizeOf(name, options);
  if (kills > webhooks)
    throw new WrongUse(`--kills ${kills}: each blow wants a webhook at least, and there are ${webhooks}`);
  if (rate !== undefined && options.kills !== undefined) refuseHaste({ webhooks, kills, rate });
  return { ...options, webhooks, kills };
}

function refuseFew(webhooks = leastCompared): void {
  if (webhooks >= leastCompared) return;
  throw new WrongUse(`--webhooks ${webhooks}: two halves are compared by their p95, and want ${leastCompared} in all`);
}

function isSized(name: RunName): name is SizedRun {
  return name in sizes;
}

/** What was asked for, and where nothing was, what is usual. */
export function sizeOf(
  name: SizedRun,
  options: Pick<FaultOptions, 'webhooks' | 'kills' | 'rate'>,
): { readonly webhooks: number; readonly kills: number } {
  const { webhooks = sizes[name].webhooks, rate } = options;
  return { webhooks, kills: options.kills ?? usualKills(sizes[name], webhooks, rate) };
}

function usualKills({ webhooksEach, killsAtLeast }: Size, webhooks: number, rate: number | undefined): number {
  const wanted = Math.max(
    Math.round(webhooks / webhooksEach),
    Math.min(killsAtLeast, Math.floor(webhooks / fewWebhooks)),
  );
  const room = rate === undefined ? wanted : Math.floor(webhooks / rate / usualSecondsEach);
  return Math.max(1, Math.min(wanted, room));
}

function refuseHaste({ webhooks, kills, rate }: { webhooks: number; kills: number; rate: number }): void {
  const seconds = webhooks / rate;
  if (seconds >= kills * leastSecondsEach) return;
  const fitting = Math.floor(webhooks / (kills * usualSecondsEach));
  const instead = fitting >= leastRate ? `--rate ${fitting} or less, or no --rate` : 'no --rate';
  throw new WrongUse(
    `--rate ${rate}: ${webhooks} webhooks are over in ${seconds.toFixed(1)} s, too soon for ${kills} blows; take ${instead}`,
  );
}

/** Messages a second of a run, or of one part of it. */
export function paceOf({
  webhooks,
  kills,
  rate,
}: {
  webhooks: number;
  kills: number;
  rate: number | undefined;
}): number {
  if (rate !== undefined) return rate;
  if (kills === 0) return usualRate;
  const fitting = Math.floor((webhooks / (kills * usualSecondsEach)) * 10) / 10;
  return Math.max(leastRate, Math.min(usualRate, fitting));
}
