export { type Alarms, type AlarmsDeps, alarmLimits, createAlarms, type TriedTarget } from './alarms.ts';
export { countDeadLetters, type IncidentFilter } from './incident-store.ts';
export type { Facts, Finding, Incident } from './incidents.ts';
export { type AlarmTarget, type TargetKind, targetKinds } from './targets.ts';
export type { CallOut } from './tellers.ts';
export { createCallOut } from './webhook-client.ts';
export { summaryOf } from './words.ts';
