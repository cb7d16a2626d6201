/** The words that server and browser share. */

export * from './api.ts';
export * from './event.ts';
export * from './failure.ts';
export * from './ids.ts';
export * from './message.ts';
export * from './money.ts';
export * from './phone.ts';
export * from './provider.ts';
export * from './upkeep.ts';
