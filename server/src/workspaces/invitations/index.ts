export { type By, createInvitations, type Invitation, type Invitations, invitationLimits } from './invitations.ts';
