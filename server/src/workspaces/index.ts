/** Tenants, people, roles, sessions, API keys, audit. */
export * from './audit/index.ts';
export { createWorkspaces, type WorkspacesDeps } from './create-workspaces.ts';
export {
  type By,
  type Invitation,
  type InvitationMailed,
  type Invitations,
  invitationLimits,
  invitationStateOf,
} from './invitations/index.ts';
export { logInLimits, logInStepMs, sessionIdleMs, sessionKeptMs, sessionMaxMs, stepUpMs } from './log-in-limits.ts';
export * from './mail/index.ts';
export { minPasswordLength } from './new-password.ts';
export { createPeople, type People, type PeopleDeps } from './people.ts';
export * from './roles.ts';
export {
  codeLimits,
  codeOf,
  findStep,
  provisioningUri,
  type SecondFactorState,
  stepAt,
  totp,
} from './second-factor/index.ts';
export { deleteEndedSessions, type SessionFacts } from './session-store.ts';
export * from './workspaces.ts';
