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
  'GET /api/v1/contacts/:id/export': { id: 'contact' },
  'POST /api/v1/contacts/:id/erase': {
    id: 'contact',
    body: { confirm: 'erase' },
  },
  'GET /api/v1/erasures': {},
  'GET /api/v1/erasures/:id': { id: 'erasure' },
  'GET /api/v1/retention': {},
  'PATCH /api/v1/retention': { body: { deliveryDays: 14 } },
  'GET /api/v1/accounts/:id/reconciliations': { id: 'account' },
  'POST /api/v1/accounts/:id/reconcile': { id: 'account', body: {} },
};

export function routeName(route: { readonly method: string; readonly url: string }): string {
  return `${route.method} ${route.url}`;
}

export function pathOf(url: string, id: string): string {
  return url.replace(':id', id);
}
