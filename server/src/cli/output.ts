import Table from 'cli-table3';

/** Where a command's words go: results on stdout, everything else on stderr. */
export interface Output {
  result(text: string): void;
  note(text: string): void;
}

export const standardOutput: Output = {
  result: (text) => void process.stdout.write(`${text}\n`),
  note: (text) => void process.stderr.write(`${text}\n`),
};

/** A table for people: no colours, so that it can be piped. */
export function table(head: readonly string[], rows: readonly (readonly (string | number | null)[])[]): string {
  const drawn = new Table({
    head: [...head],
    style: { head: [], border: [], compact: true },
    chars: {
      mid: '',
      'left-mid': '',
      'mid-mid': '',
      'right-mid': '',
      top: '',
      'top-mid': '',
      'top-left': '',
      'top-right': '',
      bottom: '',
      'bottom-mid': '',
      'bottom-left': '',
      'bottom-right': '',
      left: '',
      right: '',
      middle: '  ',
    },
  });
  for (const row of rows) drawn.push(row.map((cell) => cell ?? '–'));
  return drawn.toString();
}
