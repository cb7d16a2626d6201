import type { Kind } from './furnish.ts';

/** What the matrix needs to know of a route: whose id its path takes, and a body that its schema accepts. */
export interface RouteCase {
  readonly id?: Kind;
  readonly body?: unknown;
  /** Filters that take another thing's id. */
  readonly filters?: Readonly<Record<string, Kind>>;
}

/** Every route under `/api/v1`. A route that is missing here fails the matrix. */
export const routeCases: Readonly<Record<string, RouteCase>> = {
  'POST /api/v1/session': {},
  'DELETE /api/v1/session': {},
  'GET /api/v1/me': {},
  'GET /api/v1/workspaces': {},
  'GET /api/v1/members': {},
  'GET /api/v1/api-keys': {},
  'POST /api/v1/api-keys': { body: { name: 'a key', scopes: ['api-keys:write'] } },
  'DELETE /api/v1/api-keys/:id': { id: 'apiKey' },
  'GET /api/v1/accounts': {},
  'POST /api/v1/accounts': { body: { provider: 'webjs', settings: { session: 'a' }, secrets: { webhookKey: 'k' } } },
  'GET /api/v1/accounts/:id': { id: 'account' },
  'PATCH /api/v1/accounts/:id': { id: 'account', body: { name: 'taken over' } },
  'DELETE /api/v1/accounts/:id': { id: 'account' },
  'POST /api/v1/accounts/:id/set-primary': { id: 'account' },
  'POST /api/v1/accounts/:id/rotate-token': { id: 'account' },
  'GET /api/v1/accounts/:id/webhook': { id: 'account' },
  'GET /api/v1/deliveries': { filters: { account: 'account' } },
  'GET /api/v1/deliveries/:id': { id: 'delivery' },
  'POST /api/v1/deliveries/:id/replay': { id: 'delivery' },
  'GET /api/v1/conversations': { filters: { account: 'account' } },
  'GET /api/v1/conversations/:id': { id: 'conversation' },
  'PATCH /api/v1/conversations/:id': { id: 'conversation', body: { handler: 'person' } },
  'GET /api/v1/conversations/:id/messages': { id: 'conversation' },
  'POST /api/v1/conversations/:id/messages': {
    id: 'conversation',
    body: { content: { type: 'text', text: 'from another workspace' } },
  },
  'GET /api/v1/messages/:id': { id: 'message' },
  'POST /api/v1/messages/:id/settle': { id: 'message', body: { choice: 'leave' } },
  'GET /api/v1/categories': {},
  'GET /api/v1/products': { filters: { category: 'category' } },
  'GET /api/v1/products/:id': { id: 'product' },
  'GET /api/v1/flows': {},
  'GET /api/v1/events': {},
  'POST /api/v1/session/code': {},
  'POST /api/v1/session/step-up': { body: { password: 'not the password' } },
  'GET /api/v1/sessions': {},
  'DELETE /api/v1/sessions': {},
  'DELETE /api/v1/sessions/:id': { id: 'session' },
  'GET /api/v1/second-factor': {},
  'POST /api/v1/second-factor': {},
  'POST /api/v1/second-factor/confirm': { body: { code: '000000' } },
  'POST /api/v1/second-factor/recovery-codes': {},
  'DELETE /api/v1/second-factor': {},
  'PATCH /api/v1/members/:id': { id: 'person', body: { role: 'viewer' } },
  'DELETE /api/v1/members/:id': { id: 'person' },
  'GET /api/v1/invitations': {},
  'POST /api/v1/invitations': { body: { email: 'invited@example.com', role: 'agent' } },
  'DELETE /api/v1/invitations/:id': { id: 'invitation' },
  'POST /api/v1/invitations/look': {},
  'POST /api/v1/invitations/accept': {},
  'GET /api/v1/audit': {},
  'GET /api/v1/audit/verify': {},
  'GET /api/v1/monitoring/balance': {},
  'GET /api/v1/monitoring/traces': {},
  'GET /api/v1/monitoring/numbers': {},
  'PATCH /api/v1/monitoring/numbers/:id': { id: 'account', body: { everyMinutes: 5 } },
  'POST /api/v1/monitoring/numbers/:id/canary': { id: 'account' },
  'GET /api/v1/monitoring/alarms': {},
  'GET /api/v1/monitoring/alarm-targets': {},
  'POST /api/v1/monitoring/alarm-targets': { body: { kind: 'webhook', address: 'https://example.com/hook' } },
  'DELETE /api/v1/monitoring/alarm-targets/:id': { id: 'alarmTarget' },
  'POST /api/v1/monitoring/alarm-targets/:id/test': { id: 'alarmTarget' },
};

export function routeName(route: { readonly method: string; readonly url: string }): string {
  return `${route.method} ${route.url}`;
}

export function pathOf(url: string, id: string): string {
  return url.replace(':id', id);
}
