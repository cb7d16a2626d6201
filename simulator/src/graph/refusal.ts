/** How a check refuses. Pure. */
import type { ScreenContent } from '../world/screen.ts';
import type { GraphRefusal } from './error-table.ts';

/** What a check of one message type gives: what the phone shows, or why not. */
export type Checked = { readonly screen: ScreenContent; readonly category?: string } | GraphRefusal;

export function isRefusal(checked: object): checked is GraphRefusal {
  return 'code' in checked;
}

export function missing(name: string): GraphRefusal {
  return { code: '131008', details: `The parameter ${name} is required.` };
}

export function wrong(name: string, why = 'is not valid'): GraphRefusal {
  return { code: '131009', details: `Parameter ${name} ${why}.` };
}

export function tooLong(name: string, limit: number): GraphRefusal {
  return { code: '100', details: `Param ${name} must be at most ${limit} characters long.` };
}
