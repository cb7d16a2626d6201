import type { EventEmitter } from 'node:events';

/**
 * A connection that breaks while it is checked out, between two statements, says so by an event that ends the process where
 * nobody listens. Whoever uses it hears by the next statement.
 */
export function outliveBreaks(pool: EventEmitter): void {
  pool.on('connect', (client: EventEmitter) => client.on('error', ignoreBreak));
}

export function ignoreBreak(): void {
  // The statement under way, or the next one, fails with the same reason.
}
