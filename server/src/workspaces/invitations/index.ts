export {
  type By,
  createInvitations,
  type Invitation,
  type InvitationMailed,
  type Invitations,
  invitationLimits,
  stateOf as invitationStateOf,
} from './invitations.ts';
