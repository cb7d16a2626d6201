/** Refused webhooks: written down where they are refused, told as an incident of everybody who waits for them. */
export { type RefusalWatch, type RefusalWatchDeps, watchRefusals } from './refusal-watch.ts';
export { writeAbsence } from './refusing-store.ts';
export { type RefusingDeps, watchRefusing } from './watch-refusing.ts';
