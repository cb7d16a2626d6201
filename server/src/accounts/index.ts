/** Connected numbers and pages: tokens, credentials, life-cycle, routing, who serves them. */
export * from './accounts.ts';
