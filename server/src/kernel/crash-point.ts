import { writeSync } from 'node:fs';
import { type CrashPointName, crashPointNames } from './crash-points.ts';

/** Ends (`kill`: SIGKILL, nothing is closed) or freezes (`stop`: SIGSTOP) this process at the k-th pass of a point. */
export interface CrashPlan {
  readonly name: CrashPointName;
  /** 1 is the first pass. */
  readonly pass: number;
  readonly how: 'kill' | 'stop';
}

/** The one piece of state: null in every process but one that a fault test started. */
let armed: { readonly plan: CrashPlan; passes: number } | null = null;

/**
 * A moment at which a test may strike. Does nothing, for the price of one comparison, unless `armCrashPoint` was called.
 */
export function crashPoint(name: CrashPointName): void {
  if (armed !== null) strikeAt(name);
}

/** Called once at the start, by the part that reads the settings; null arms nothing. */
export function armCrashPoint(plan: CrashPlan | null): void {
  armed = plan === null ? null : { plan, passes: 0 };
}

export function isCrashPointArmed(): boolean {
  return armed !== null;
}

/** `name[:pass][:kill|stop]`; undefined for anything else. */
export function parseCrashPlan(text: string): CrashPlan | undefined {
  const [given, ...rest] = text.split(':');
  const name = crashPointNames.find((known) => known === given);
  const how = rest.at(-1) === 'stop' ? 'stop' : 'kill';
  const numbers = rest.filter((part) => part !== 'kill' && part !== 'stop');
  const pass = Number(numbers[0] ?? '1');
  const isSound = numbers.length <= 1 && rest.length <= 2 && Number.isSafeInteger(pass) && pass >= 1;
  return name !== undefined && isSound ? { name, pass, how } : undefined;
}

function strikeAt(name: CrashPointName): void {
  if (armed === null || armed.plan.name !== name) return;
  armed.passes += 1;
  if (armed.passes !== armed.plan.pass) return;
  // Synchronous, and past the log: whoever watches must hear of it before the end.
  writeSync(2, `${JSON.stringify({ crashPoint: name, pass: armed.passes, how: armed.plan.how })}\n`);
  process.kill(process.pid, armed.plan.how === 'stop' ? 'SIGSTOP' : 'SIGKILL');
}
