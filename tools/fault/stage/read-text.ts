import { readFileSync } from 'node:fs';

/** Empty where there is nothing to read: the process or the file is gone. */
export function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    // Gone: there is nothing of it to read.
    return '';
  }
}
