/** Clock, ids, result, log, assert: no domain. Every room may import it. */
export { assert, assertNever } from './assert.ts';
export { type Clock, fixedClock, systemClock } from './clock.ts';
export { armCrashPoint, type CrashPlan, crashPoint, isCrashPointArmed, parseCrashPlan } from './crash-point.ts';
export { type CrashPointName, crashPointNames } from './crash-points.ts';
export { millisOfId, newId } from './ids.ts';
export { createLog, type Log, type LogLevel, silentLog } from './log.ts';
export { createLoop, type Loop } from './loop.ts';
export { once } from './once.ts';
export { clampLimit, encodeCursor, maxPageSize, type Page, type PageRequest, pageOf, parseCursor } from './page.ts';
export { done, type Result, refused } from './result.ts';
export { ServedLately } from './served-lately.ts';
