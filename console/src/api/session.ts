/** Who is logged in, in which workspace, and what they may do there. */
import { loggedInSchema, type Me, meSchema, type WorkspaceChange, workspaceSchema } from '@switchyard/contract';
import { useMutation, useQuery } from '@tanstack/vue-query';
import { useLocalStorage } from '@vueuse/core';
import { computed } from 'vue';
import { ask, tell, useWorkspaceForRequests } from './client.ts';
import { queryClient } from './query-client.ts';

export const meKey = ['me'] as const;

/** Only a memory that there was a session, so that a first visit need not ask the server to be told 401. */
const wasLoggedIn = useLocalStorage('switchyard-was-logged-in', false);
const chosen = useLocalStorage<string | null>('switchyard-workspace', null);

const askMe = () => ask(meSchema, 'GET', '/me');

/** null: logged in. Else the token of the first step, to be shown with a code. */
export async function logIn(email: string, password: string): Promise<string | null> {
  useWorkspaceForRequests(null);
  const answer = await ask(loggedInSchema, 'POST', '/session', { body: { email, password } });
  if ('step' in answer) return answer.stepToken;
  begin(answer);
  return null;
}

export async function logInByCode(stepToken: string, code: string): Promise<void> {
  begin(await ask(meSchema, 'POST', '/session/code', { body: { stepToken, code } }));
}

function begin(me: Me): void {
  queryClient.clear();
  take(me);
  queryClient.setQueryData(meKey, me);
}

export async function logOut(): Promise<void> {
  await tell('DELETE', '/session');
  forgetSession();
}

export function forgetSession(): void {
  wasLoggedIn.value = false;
  queryClient.clear();
}

/** True when there is a session; asks the server once a start. Rejects when the server cannot be asked. */
export async function checkSession(): Promise<boolean> {
  if (!wasLoggedIn.value) return false;
  const me = await queryClient.fetchQuery({ queryKey: meKey, queryFn: askMe, staleTime: Number.POSITIVE_INFINITY });
  take(me);
  return true;
}

function take(me: Me): void {
  wasLoggedIn.value = true;
  const isMember = me.workspaces.some(({ id }) => id === chosen.value);
  if (!isMember) chosen.value = me.workspaces[0]?.id ?? null;
  useWorkspaceForRequests(chosen.value);
}

/** Everything shown belongs to a workspace: choosing another forgets all of it but who is logged in. */
export function chooseWorkspace(id: string): void {
  chosen.value = id;
  useWorkspaceForRequests(id);
  queryClient.removeQueries({ predicate: ({ queryKey }) => queryKey[0] !== meKey[0] });
}

/** Changes of one's own workspaces show wherever they are named. */
export const readMeAgain = () => queryClient.invalidateQueries({ queryKey: meKey });

export function useChangeWorkspace() {
  return useMutation({
    mutationFn: (change: WorkspaceChange) => ask(workspaceSchema, 'PATCH', '/workspace', { body: change }),
    onSuccess: () => Promise.all([readMeAgain(), queryClient.invalidateQueries({ queryKey: ['statistics'] })]),
  });
}

/** Makes it, and looks at it from now on. */
export async function makeWorkspace(name: string): Promise<void> {
  const { id } = await ask(workspaceSchema, 'POST', '/workspaces', { body: { name } });
  await readMeAgain();
  chooseWorkspace(id);
}

const allowed = {
  'workspace:write': ['owner'],
  'messages:write': ['owner', 'admin', 'agent'],
  'conversations:write': ['owner', 'admin', 'agent'],
  'accounts:write': ['owner', 'admin'],
  'tokens:read': ['owner', 'admin'],
  'tokens:write': ['owner', 'admin'],
  'deliveries:write': ['owner', 'admin'],
  'api-keys:write': ['owner', 'admin'],
  'members:read': ['owner', 'admin'],
  'members:write': ['owner', 'admin'],
  'audit:read': ['owner', 'admin'],
  'monitoring:write': ['owner', 'admin'],
  'privacy:read': ['owner', 'admin'],
  'privacy:write': ['owner', 'admin'],
} as const satisfies Record<string, readonly string[]>;
export type Right = keyof typeof allowed;

export function useSession() {
  const { data: me } = useQuery({ queryKey: meKey, queryFn: askMe, staleTime: Number.POSITIVE_INFINITY });
  const workspace = computed(() => me.value?.workspaces.find(({ id }) => id === chosen.value) ?? null);
  /** A hint for what to offer; the server decides. */
  const may = (right: Right) => (allowed[right] as readonly string[]).includes(workspace.value?.role ?? '');
  return { me, workspace, may };
}
