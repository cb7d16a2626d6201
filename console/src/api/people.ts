/** One's own sessions and second factor, the workspace's members, invitations and audit log. */
import {
  auditEntrySchema,
  auditVerdictSchema,
  endedSessionsSchema,
  invitationSchema,
  type MemberRole,
  madeInvitationSchema,
  memberSchema,
  offeredFactorSchema,
  pageOf,
  recoveryCodesSchema,
  secondFactorSchema,
  sessionSchema,
  shownInvitationSchema,
} from '@switchyard/contract';
import { useInfiniteQuery, useMutation, useQuery } from '@tanstack/vue-query';
import { computed, type Ref } from 'vue';
import { ask, tell } from './client.ts';
import { queryClient } from './query-client.ts';
import { guarded } from './step-up.ts';

const readAgain = (key: string) => queryClient.invalidateQueries({ queryKey: [key] });

// ---- one's own sessions --------------------------------------------------------------------------------------------
const sessionPage = pageOf(sessionSchema);

export function useOwnSessions() {
  return useQuery({
    queryKey: ['sessions'],
    queryFn: ({ signal }) => ask(sessionPage, 'GET', '/sessions', { signal }),
  });
}

export function useEndSession() {
  return useMutation({
    mutationFn: (id: string) => tell('DELETE', `/sessions/${id}`),
    onSettled: () => readAgain('sessions'),
  });
}

export function useEndOthers() {
  return useMutation({
    mutationFn: () => ask(endedSessionsSchema, 'DELETE', '/sessions'),
    onSettled: () => readAgain('sessions'),
  });
}

// ---- second factor -------------------------------------------------------------------------------------------------
export function useSecondFactor() {
  return useQuery({
    queryKey: ['second-factor'],
    queryFn: ({ signal }) => ask(secondFactorSchema, 'GET', '/second-factor', { signal }),
  });
}

export const offerFactor = () => guarded(() => ask(offeredFactorSchema, 'POST', '/second-factor'));

export async function confirmFactor(code: string): Promise<readonly string[]> {
  const { codes } = await guarded(() => ask(recoveryCodesSchema, 'POST', '/second-factor/confirm', { body: { code } }));
  await readAgain('second-factor');
  return codes;
}

export async function renewRecoveryCodes(): Promise<readonly string[]> {
  const { codes } = await guarded(() => ask(recoveryCodesSchema, 'POST', '/second-factor/recovery-codes'));
  await readAgain('second-factor');
  return codes;
}

export async function turnOffFactor(): Promise<void> {
  await guarded(() => tell('DELETE', '/second-factor'));
  await readAgain('second-factor');
}

// ---- members and invitations ---------------------------------------------------------------------------------------
const memberPage = pageOf(memberSchema);
const invitationPage = pageOf(invitationSchema);

export function useMemberPages() {
  return useInfiniteQuery({
    queryKey: ['members'],
    queryFn: ({ pageParam, signal }) => ask(memberPage, 'GET', '/members', { query: { cursor: pageParam }, signal }),
    initialPageParam: '',
    getNextPageParam: (page) => page.nextCursor,
  });
}

export function useChangeRole() {
  return useMutation({
    mutationFn: ({ id, role }: { id: string; role: MemberRole }) =>
      guarded(() => tell('PATCH', `/members/${id}`, { body: { role } })),
    onSettled: () => readAgain('members'),
  });
}

export function useRemoveMember() {
  return useMutation({
    mutationFn: (id: string) => guarded(() => tell('DELETE', `/members/${id}`)),
    onSettled: () => readAgain('members'),
  });
}

export function useInvitationPages() {
  return useInfiniteQuery({
    queryKey: ['invitations'],
    queryFn: ({ pageParam, signal }) =>
      ask(invitationPage, 'GET', '/invitations', { query: { cursor: pageParam }, signal }),
    initialPageParam: '',
    getNextPageParam: (page) => page.nextCursor,
  });
}

export function useInvite() {
  return useMutation({
    mutationFn: (invitation: { email: string; role: MemberRole }) =>
      guarded(() => ask(madeInvitationSchema, 'POST', '/invitations', { body: invitation })),
    onSuccess: () => readAgain('invitations'),
  });
}

/** Under a new link; the one before ends. */
export function useResendInvitation() {
  return useMutation({
    mutationFn: (id: string) => guarded(() => ask(madeInvitationSchema, 'POST', `/invitations/${id}/resend`)),
    onSuccess: () => readAgain('invitations'),
  });
}

export function useRevokeInvitation() {
  return useMutation({
    mutationFn: (id: string) => tell('DELETE', `/invitations/${id}`),
    onSettled: () => readAgain('invitations'),
  });
}

// ---- the password -------------------------------------------------------------------------------------------------
/** Gives how many other sessions it ended. */
export const changePassword = (change: { currentPassword: string; newPassword: string }) =>
  guarded(() => ask(endedSessionsSchema, 'POST', '/me/password', { body: change })).finally(() =>
    readAgain('sessions'),
  );

// ---- joining, by the holder of a link ------------------------------------------------------------------------------
export const lookAtInvitation = (token: string) =>
  ask(shownInvitationSchema, 'POST', '/invitations/look', { body: { token } });

export const acceptInvitation = (acceptance: { token: string; name: string; password: string }) =>
  tell('POST', '/invitations/accept', { body: acceptance });

// ---- the audit log -------------------------------------------------------------------------------------------------
const auditPage = pageOf(auditEntrySchema);

export interface AuditFilter {
  readonly resource: string;
  readonly action: string;
}

export function useAuditPages(filter: Ref<AuditFilter>) {
  return useInfiniteQuery({
    queryKey: computed(() => ['audit', filter.value]),
    queryFn: ({ pageParam, signal }) =>
      ask(auditPage, 'GET', '/audit', { query: { ...filter.value, cursor: pageParam }, signal }),
    initialPageParam: '',
    getNextPageParam: (page) => page.nextCursor,
  });
}

export const verifyAuditLog = () => ask(auditVerdictSchema, 'GET', '/audit/verify');
