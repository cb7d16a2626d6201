/**
 * When which blow falls. The load is what time is counted by: it goes up to a blow's mark, waits there for it if it must,
 * goes on while it is dealt, and keeps something for afterwards, so that each blow falls under load, whatever it takes, and
 * somebody writes when all stand again. Pure.
 */
import type { Choices } from '../seeded.ts';
import type { ProviderFaultName } from './provider-faults.ts';

export interface Planned<Blow extends string> {
  /** When so many messages have been acknowledged. */
  readonly atAcked: number;
  readonly blow: Blow;
  readonly fault: ProviderFaultName | null;
}

export interface SchedulePlan<Blow extends string> {
  readonly webhooks: number;
  readonly kills: number;
  readonly blows: readonly Blow[];
  readonly faults: readonly ProviderFaultName[];
}

/** So much of the load lies before the last blow at most. */
const share = 0.95;
/** A blow falls in the first part of its own stretch. */
const spread = 0.8;

/** Every blow once, in an order of the seed's, before any comes again; and none of a target before each had one. */
export function schedule<Blow extends string>(plan: SchedulePlan<Blow>, choices: Choices): Planned<Blow>[] {
  const { webhooks, kills, faults } = plan;
  const blows = rounds(plan.blows, kills, choices.fork('order'));
  return blows.map((blow, index) => ({
    atAcked: Math.floor(((index + choices.next() * spread) / kills) * webhooks * share),
    blow,
    fault: faults.length > 0 && choices.next() < 0.5 ? choices.pick(faults) : null,
  }));
}

/** As many as are asked for, in rounds of all of them, each in another order. */
function rounds<Blow extends string>(all: readonly Blow[], count: number, choices: Choices): Blow[] {
  const dealt: Blow[] = [];
  while (dealt.length < count && all.length > 0) dealt.push(...round(all, choices));
  return dealt.slice(0, count);
}

/** One of each target in turn, so that few blows fall on all of them. The first word of a blow is its target. */
function round<Blow extends string>(all: readonly Blow[], choices: Choices): Blow[] {
  const ofTarget = [...Map.groupBy(all, (blow) => blow.split(' ')[0]).values()].map((same) => shuffled(same, choices));
  const most = Math.max(...ofTarget.map((same) => same.length));
  return Array.from({ length: most }, (_, nth) =>
    shuffled(ofTarget, choices).flatMap((same) => same[nth] ?? []),
  ).flat();
}

export function shuffled<One>(all: readonly One[], choices: Choices): One[] {
  const left = [...all];
  return all.map(() => left.splice(choices.below(left.length), 1)[0]!);
}

export interface Bounds {
  /** The load may begin so many messages before the blow falls … */
  readonly before: number;
  /** … so many while it is dealt; the rest is for when all stand again. */
  readonly during: number;
}

/** Of each blow, in order. A second's worth of messages is under way when it falls, and as much is kept for afterwards. */
export function boundsOf(marks: readonly number[], webhooks: number, ratePerSecond: number): Bounds[] {
  return marks.map((mark, index) => {
    const next = marks[index + 1] ?? webhooks;
    const kept = Math.min(Math.ceil(ratePerSecond), Math.floor((next - mark) / 2));
    return { before: mark + kept, during: next - kept };
  });
}
