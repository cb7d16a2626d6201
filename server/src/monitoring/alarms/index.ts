export { type Alarms, type AlarmsDeps, alarmLimits, createAlarms, type TriedTarget } from './alarms.ts';
export { countDeadLetters, type IncidentFilter, type SetAside } from './incident-store.ts';
export {
  type Ending,
  type Facts,
  type Finding,
  type Incident,
  type Look,
  nameOfPart,
  type OpenIncident,
  type Part,
} from './incidents.ts';
export { type AlarmTarget, type TargetKind, targetKinds } from './targets.ts';
export type { CallOut } from './tellers.ts';
export { createCallOut } from './webhook-client.ts';
export { stateOf, summaryOf } from './words.ts';
