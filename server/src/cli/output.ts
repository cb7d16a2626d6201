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

/** What every command that gives a result takes. */
export interface Shown {
  readonly json?: boolean;
}

/** A command's one result: a JSON document for programs, or words for people. */
export function show(output: Output, { json }: Shown, document: object, words: () => string): void {
  output.result(json ? JSON.stringify(document) : words());
}

/** A table for people: no colours and no lines, so that it can be piped. */
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
  for (const row of rows) drawn.push(row.map((cell) => (cell === null ? '–' : printable(String(cell)))));
  return drawn
    .toString()
    .split('\n')
    .map((line) => line.trimEnd())
    .join('\n');
}

/** Customers choose names and texts: none of them may steer the terminal. */
export function printable(text: string): string {
  return text.replaceAll(/[\u0000-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g, ' ');
}
