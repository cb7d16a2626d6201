/** Where the bars of a stacked chart stand: pure, in units of its view box. */
export interface Column {
  readonly index: number;
  readonly x: number;
  readonly width: number;
  /** From the bottom up; series without a value have none. */
  readonly bars: readonly { readonly series: number; readonly y: number; readonly height: number }[];
}

const gapShare = 0.2;

export function stackBars(
  series: readonly (readonly number[])[],
  size: { readonly width: number; readonly height: number },
): { readonly columns: readonly Column[]; readonly highest: number } {
  const count = Math.max(0, ...series.map((values) => values.length));
  const sums = Array.from({ length: count }, (_, index) =>
    series.reduce((sum, values) => sum + (values[index] ?? 0), 0),
  );
  const highest = Math.max(0, ...sums);
  const step = count === 0 ? 0 : size.width / count;
  const columns = sums.map((_, index) => ({
    index,
    x: index * step,
    width: step * (1 - gapShare),
    bars: barsOf(
      series.map((values) => values[index] ?? 0),
      highest,
      size.height,
    ),
  }));
  return { columns, highest };
}

function barsOf(values: readonly number[], highest: number, height: number): Column['bars'] {
  let below = 0;
  return values.flatMap((value, series) => {
    if (value <= 0) return [];
    const tall = (value / highest) * height;
    below += tall;
    return [{ series, y: height - below, height: tall }];
  });
}
