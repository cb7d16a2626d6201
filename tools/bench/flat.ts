/**
 * Is memory flat? A straight line is laid through what was measured after the first third, in which caches and heaps fill:
 * flat means that it rises by less than a tenth of its middle, or less than 16 MB, from its beginning to its end.
 */
const rule =
  'least squares over the last two thirds of the series: rises by less than 10 % of its mean, or by less than 16 MB';

const shareLeftOut = 1 / 3;
const fewest = 5;
const riseShare = 0.1;
const riseLimitMb = 16;

export interface Flatness {
  /** null: measured too few times to tell. */
  readonly isFlat: boolean | null;
  /** From the beginning to the end of the line; negative where memory fell. */
  readonly riseMb: number | null;
  readonly rule: string;
}

/** Measured at equal steps of work. */
export function judgeFlat(seriesMb: readonly number[]): Flatness {
  if (seriesMb.length < fewest) return { isFlat: null, riseMb: null, rule };
  const judged = seriesMb.slice(Math.floor(seriesMb.length * shareLeftOut));
  const mean = judged.reduce((sum, value) => sum + value, 0) / judged.length;
  const middle = (judged.length - 1) / 2;
  const spread = judged.reduce((sum, _, index) => sum + (index - middle) ** 2, 0);
  const slope = judged.reduce((sum, value, index) => sum + (index - middle) * (value - mean), 0) / spread;
  const rise = slope * (judged.length - 1);
  return { isFlat: rise < Math.max(riseLimitMb, mean * riseShare), riseMb: Math.round(rise * 10) / 10, rule };
}
