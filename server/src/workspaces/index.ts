/** Tenants, people, roles, sessions, API keys, audit. */
export { createWorkspaces, type WorkspacesDeps } from './create-workspaces.ts';
export { logInLimits, sessionIdleMs, sessionMaxMs, stepUpMs } from './log-in.ts';
export * from './roles.ts';
export * from './workspaces.ts';
