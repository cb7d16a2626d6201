/**
 * Is memory flat? A process's memory is a saw-tooth: garbage is left until a full collection, and a line through it says more
 * of when that came than of what is kept. So its peaks are compared: where something is kept for ever they rise. In the
 * series of what was measured at equal steps of work, the highest of the last third may be no more than 5 % above the
 * highest before it.
 */
const rule = 'the highest of the last third is at most 5 % above the highest before it';

const riseShare = 0.05;
const fewest = 6;

export interface Flatness {
  /** null: measured too few times to tell. */
  readonly isFlat: boolean | null;
  /** From the highest of the first two thirds to the highest of the last; negative where it fell. */
  readonly riseMb: number | null;
  readonly rule: string;
}

export function judgeFlat(seriesMb: readonly number[]): Flatness {
  if (seriesMb.length < fewest) return { isFlat: null, riseMb: null, rule };
  const lastThird = Math.ceil((seriesMb.length * 2) / 3);
  const before = Math.max(...seriesMb.slice(0, lastThird));
  const rise = Math.max(...seriesMb.slice(lastThird)) - before;
  return { isFlat: rise <= before * riseShare, riseMb: Math.round(rise * 10) / 10, rule };
}
