/**
 * How well an account is, as a number and as the reasons for it.
 *
 * The score is the one that teams know: 100, less 50 when it is not connected, less 20 when nothing has happened for an
 * hour, less 10 for each send that failed in the last hour, to 30 at most. Healthy means 70 or more, and connected. The
 * signals explain more than the score counts: `points` is what a signal took off the score, `weight` how much it matters
 * (0 to 100), and `nextStep` what to do about it.
 */
import { type HealthFacts, type HealthSignal, healthLimits, pointsOf, type ScoreFacts } from './health-facts.ts';
import { healthSignals } from './health-signals.ts';

export interface Health {
  readonly score: number;
  readonly isHealthy: boolean;
  /** Heaviest first. */
  readonly signals: readonly HealthSignal[];
}

export function assessHealth(facts: HealthFacts, now: Date): Health {
  const score = scoreOf(facts, now);
  const signals = healthSignals(facts, now);
  return {
    score,
    isHealthy: score >= healthLimits.healthyScore && facts.status === 'connected',
    signals: signals.toSorted((a, b) => b.weight - a.weight),
  };
}

export function scoreOf(facts: ScoreFacts, now: Date): number {
  const { connection, activity, failures } = pointsOf(facts, now);
  return Math.max(0, 100 - connection - activity - failures);
}
