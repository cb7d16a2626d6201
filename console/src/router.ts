/** The console's pages, each in a file of its own that is fetched when it is first opened. */
import { createRouter, createWebHistory, type RouteLocation } from 'vue-router';
import { onSignedOut } from './api/client.ts';
import { codeOf } from './api/problem-error.ts';
import { checkSession, forgetSession } from './api/session.ts';

declare module 'vue-router' {
  interface RouteMeta {
    readonly isPublic?: true;
  }
}

export const router = createRouter({
  history: createWebHistory(),
  routes: [
    {
      path: '/log-in',
      name: 'log-in',
      component: () => import('./pages/log-in/LogInPage.vue'),
      meta: { isPublic: true },
    },
    {
      path: '/join',
      name: 'join',
      component: () => import('./pages/join/JoinPage.vue'),
      meta: { isPublic: true },
    },
    {
      path: '/',
      component: () => import('./shell/AppShell.vue'),
      redirect: { name: 'deliveries' },
      children: [
        {
          path: 'deliveries',
          name: 'deliveries',
          component: () => import('./pages/deliveries/DeliveriesPage.vue'),
          children: [
            { path: ':id', name: 'delivery', component: () => import('./pages/deliveries/DeliveryPanel.vue') },
          ],
        },
        {
          path: 'conversations',
          name: 'conversations',
          component: () => import('./pages/conversations/ConversationsPage.vue'),
          children: [
            { path: ':id', name: 'conversation', component: () => import('./pages/conversations/ThreadPanel.vue') },
          ],
        },
        { path: 'accounts', name: 'accounts', component: () => import('./pages/accounts/AccountsPage.vue') },
        { path: 'accounts/:id', name: 'account', component: () => import('./pages/accounts/AccountPage.vue') },
        { path: 'settings', name: 'settings', component: () => import('./pages/settings/SettingsPage.vue') },
        { path: 'members', name: 'members', component: () => import('./pages/people/MembersPage.vue') },
        { path: 'security', name: 'security', component: () => import('./pages/people/SecurityPage.vue') },
        { path: 'audit', name: 'audit', component: () => import('./pages/people/AuditPage.vue') },
        { path: 'balance', name: 'balance', component: () => import('./pages/balance/BalancePage.vue') },
        { path: 'alarms', name: 'alarms', component: () => import('./pages/alarms/AlarmsPage.vue') },
        { path: 'trace', name: 'trace', component: () => import('./pages/trace/TracePage.vue') },
      ],
    },
    { path: '/:rest(.*)*', redirect: { name: 'deliveries' } },
  ],
});

/** A server that cannot be asked is no reason to log in anew: the page opens and says what is wrong. */
router.beforeEach(async (to) => {
  if (to.meta.isPublic) return true;
  const isLoggedIn = await checkSession().catch((error: unknown) => codeOf(error) !== 'unauthenticated');
  return isLoggedIn ? true : logInAndReturn(to);
});

onSignedOut(() => {
  forgetSession();
  const here = router.currentRoute.value;
  if (!here.meta.isPublic) void router.replace(logInAndReturn(here));
});

function logInAndReturn(from: Pick<RouteLocation, 'fullPath'>) {
  return { name: 'log-in', query: from.fullPath === '/' ? {} : { from: from.fullPath } };
}
