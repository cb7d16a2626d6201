/**
 * The dangerous acts, in one table: a person must have shown their password or a code within `stepUpMs`, else the answer
 * is `step-up-needed`. A key has nothing more to show than its scopes: it passes. `docs/roles.md` is written from it.
 *
 * An act stands here with all its names: one under an older name would be a way around.
 */

export interface DangerousAct {
  readonly act: string;
  readonly why: string;
  /** Method and path, as in the interface's list of routes. */
  readonly routes: readonly string[];
}

export const dangerousActs: readonly DangerousAct[] = [
  {
    act: 'remove an account',
    why: 'its tokens end, and the provider’s webhooks find nobody',
    routes: [
      'DELETE /api/v1/accounts/:id',
      'DELETE /settings/whatsapp-accounts/:id',
      'DELETE /settings/whatsapp-sessions/:id',
      'DELETE /whatsapp/settings',
      'DELETE /whatsapp/settings/:id',
    ],
  },
  { act: 'restore an account', why: 'shows a new webhook token', routes: ['POST /api/v1/accounts/:id/restore'] },
  {
    act: 'rotate, retire or bring back a webhook token',
    why: 'a provider that is not told is cut off',
    routes: [
      'POST /api/v1/accounts/:id/rotate-token',
      'POST /api/v1/accounts/:id/retire-token',
      'POST /api/v1/accounts/:id/undo-rotation',
    ],
  },
  {
    act: 'set the webhook at the provider, or undo that',
    why: 'moves the traffic of a number',
    routes: ['POST /api/v1/accounts/:id/set-webhook', 'POST /api/v1/accounts/:id/undo-webhook'],
  },
  { act: 'make an API key', why: 'it outlives the session', routes: ['POST /api/v1/api-keys'] },
  {
    act: 'change a role, remove a member, invite somebody',
    why: 'gives and takes rights',
    routes: [
      'PATCH /api/v1/members/:id',
      'DELETE /api/v1/members/:id',
      'POST /api/v1/invitations',
      'POST /api/v1/invitations/:id/resend',
    ],
  },
  {
    act: 'export or erase a person, shorten how long records are kept',
    why: 'takes data out, or away for ever',
    routes: ['GET /api/v1/contacts/:id/export', 'POST /api/v1/contacts/:id/erase', 'PATCH /api/v1/retention'],
  },
  { act: 'change one’s own password', why: 'whoever sets it holds the log-in', routes: ['POST /api/v1/me/password'] },
  {
    act: 'change one’s own second factor',
    why: 'whoever holds it holds the log-in',
    routes: [
      'POST /api/v1/second-factor',
      'POST /api/v1/second-factor/confirm',
      'POST /api/v1/second-factor/recovery-codes',
      'DELETE /api/v1/second-factor',
    ],
  },
];

const dangerousRoutes: ReadonlySet<string> = new Set(dangerousActs.flatMap(({ routes }) => routes));

export function isDangerous(method: string, url: string | undefined): boolean {
  return dangerousRoutes.has(`${method} ${url}`);
}

/** Throws for a name in the table that no route has: such an act would ask nobody. */
export function checkDangerousActs(routes: readonly { readonly method: string; readonly url: string }[]): void {
  const known = new Set(routes.map(({ method, url }) => `${method} ${url}`));
  const missing = [...dangerousRoutes].filter((name) => !known.has(name));
  if (missing.length > 0) throw new Error(`the table of dangerous acts names no route: ${missing.join(', ')}`);
}

/** The table as people read it, for `docs/roles.md`. */
export function dangerousActsAsMarkdown(): string {
  const rows = dangerousActs.map(
    ({ act, why, routes }) => `| ${act} | ${why} | ${routes.map((route) => `\`${route}\``).join('<br>')} |`,
  );
  return ['| act | why | routes |', '| --- | --- | --- |', ...rows].join('\n');
}
