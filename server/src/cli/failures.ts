/** The person asked for something that cannot be: exit status 2, one line. */
export class WrongUse extends Error {
  override readonly name = 'WrongUse';
}

/** It could not be done: exit status 1, one line. */
export class CommandFailed extends Error {
  override readonly name = 'CommandFailed';
}

/** One line about any error; of several refused addresses behind one name, the first. */
export function lineOf(error: unknown): string {
  if (error instanceof AggregateError && !error.message && error.errors.length > 0) return lineOf(error.errors[0]);
  if (!(error instanceof Error)) return oneLine(String(error));
  const code = 'code' in error && typeof error.code === 'string' ? error.code : error.name;
  return oneLine(error.message || code);
}

function oneLine(text: string): string {
  return text.trim().replaceAll(/\s*\n\s*/g, ' ');
}
