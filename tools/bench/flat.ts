/**
 * Is memory flat? A straight line is laid through what was measured after the first third, in which caches and heaps fill:
 * flat means that it rises by less than a tenth of its middle, or less than 16 MB, from its beginning to its end.
 */
export const flatRule =
  'least squares over the last two thirds of the series: rises by less than 10 % of its mean, or by less than 16 MB';

const shareLeftOut = 1 / 3;
const riseShare = 0.1;
const riseMb = 16;

export interface Flatness {
  readonly isFlat: boolean;
  /** From the beginning to the end of the line; negative where memory fell. */
  readonly riseMb: number;
  readonly meanMb: number;
}

/** At least four measurements, taken at equal steps of work. */
export function judgeFlat(seriesMb: readonly number[]): Flatness {
  const judged = seriesMb.slice(Math.floor(seriesMb.length * shareLeftOut));
  if (judged.length < 3) throw new Error('too few measurements to tell whether memory is flat');
  const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const meanMb = mean(judged);
  const middle = (judged.length - 1) / 2;
  const spread = judged.reduce((sum, _, index) => sum + (index - middle) ** 2, 0);
  const slope = judged.reduce((sum, value, index) => sum + (index - middle) * (value - meanMb), 0) / spread;
  const rise = slope * (judged.length - 1);
  return { isFlat: rise < Math.max(riseMb, meanMb * riseShare), riseMb: rise, meanMb };
}
