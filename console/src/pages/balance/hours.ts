/** The hours of a balance as the plot draws them: every hour of the span, of all accounts together. Pure. */
import type { BalanceView } from '@switchyard/contract';

export interface PlottedHour {
  readonly hour: string;
  readonly received: number;
  readonly answered: number;
  readonly dead: number;
}

const hourMs = 3_600_000;

export function plottedHours({ from, to, hours }: Pick<BalanceView, 'from' | 'to' | 'hours'>): PlottedHour[] {
  const byHour = new Map<number, PlottedHour>();
  for (const { hour, received, answered, dead } of hours) {
    const at = new Date(hour).getTime();
    const known = byHour.get(at) ?? { hour, received: 0, answered: 0, dead: 0 };
    byHour.set(at, {
      hour,
      received: known.received + received,
      answered: known.answered + answered,
      dead: known.dead + dead,
    });
  }
  const first = new Date(from).getTime();
  const count = Math.round((new Date(to).getTime() - first) / hourMs);
  return Array.from({ length: count }, (_, index) => {
    const at = first + index * hourMs;
    return byHour.get(at) ?? { hour: new Date(at).toISOString(), received: 0, answered: 0, dead: 0 };
  });
}

/** The next of 1, 2, 5, 10, 20, 50 … at or above the highest bar, so that the scale has round numbers. */
export function scaleOf(hours: readonly PlottedHour[]): number {
  const highest = Math.max(1, ...hours.map(({ received, answered, dead }) => Math.max(received, answered, dead)));
  const power = 10 ** Math.floor(Math.log10(highest));
  return [1, 2, 5, 10].map((step) => step * power).find((step) => step >= highest) ?? highest;
}
