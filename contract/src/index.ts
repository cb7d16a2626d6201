/** The words that server and browser share. */

export * from './account-api.ts';
export * from './api.ts';
export * from './day-in-zone.ts';
export * from './event.ts';
export * from './failure.ts';
export * from './ids.ts';
export * from './message.ts';
export * from './money.ts';
export * from './monitoring.ts';
export * from './pairing.ts';
export * from './people-api.ts';
export * from './phone.ts';
export * from './provider.ts';
export * from './qr/index.ts';
export * from './time-zone.ts';
export * from './upkeep.ts';
export * from './workspace-api.ts';
