/**
 * The middleware of a turn, in their order: the one place to read it, and to put a team's own. A copy of this list with
 * one more line is what `createPipeline({ middleware })` takes.
 */
import type { CommerceDoor } from '#commerce';
import type { FlowsDoor } from '#flows';
import type { Middleware } from './context.ts';
import type { PipelineLimits } from './limits.ts';
import { answerable } from './middleware/answerable.ts';
import { consent } from './middleware/consent.ts';
import { duplicate } from './middleware/duplicate.ts';
import { fallback } from './middleware/fallback.ts';
import { flow } from './middleware/flow.ts';
import { handover } from './middleware/handover.ts';
import { language } from './middleware/language.ts';
import { optOut } from './middleware/opt-out.ts';
import { rate } from './middleware/rate.ts';
import { staleness } from './middleware/staleness.ts';
import { window } from './middleware/window.ts';

export interface StandardParts {
  readonly flows: FlowsDoor;
  readonly commerce: CommerceDoor;
  readonly limits: PipelineLimits;
}

export function standardMiddleware({ flows, commerce, limits }: StandardParts): readonly Middleware[] {
  return [
    duplicate,
    answerable,
    staleness(limits.staleAfterMs),
    language,
    optOut,
    consent,
    window,
    handover,
    rate(limits.answersPerMinute),
    flow({ flows, commerce }),
    fallback(limits.fallbackHandoverMs),
  ];
}
