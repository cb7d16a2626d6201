/**
 * The dangerous acts, in one table: a person must have shown their password or a code within `stepUpMs`, else the answer
 * is `step-up-needed`. A key has nothing more to show than its scopes: it passes. `docs/roles.md` is written from it.
 *
 * An act stands here with all its names: one under an older name would be a way around.
 */
import { commonSettings } from '#accounts';
import { gateFields } from '#channels';

export interface DangerousAct {
  readonly act: string;
  readonly why: string;
  /** Method and path, as in the interface's list of routes. */
  readonly routes: readonly string[];
  /** Is it this body that makes the act dangerous? Absent: the act is, whatever it is sent with. */
  readonly when?: (body: unknown) => boolean;
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
  {
    act: 'change an account’s secrets, or settings other than its pace and its send gate; its name asks nothing',
    why: 'says who is believed, and where calls go with its credentials',
    routes: ['PATCH /api/v1/accounts/:id', 'PUT /whatsapp/settings', 'PUT /whatsapp/settings/:id'],
    when: changesCredentials,
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

const actOfRoute: ReadonlyMap<string, DangerousAct> = new Map(
  dangerousActs.flatMap((act) => act.routes.map((route) => [route, act] as const)),
);

/** `by-body`: a route that asks for some bodies only. */
export type StepUpNeed = 'always' | 'by-body' | 'never';

export function stepUpNeed(method: string, url: string | undefined): StepUpNeed {
  const act = actOfRoute.get(`${method} ${url}`);
  if (!act) return 'never';
  return act.when ? 'by-body' : 'always';
}

/** Of a route that asks by its body, once that fits its schema. */
export function isMadeDangerous(method: string, url: string | undefined, body: unknown): boolean {
  return actOfRoute.get(`${method} ${url}`)?.when?.(body) ?? false;
}

const harmlessSettings: ReadonlySet<string> = new Set([...gateFields, ...commonSettings].map(({ name }) => name));
/** Names of an older settings row that carry a credential, or say whose traffic is meant. */
const olderCredentials = ['accessToken', 'appSecret', 'webhookToken', 'phoneNumberId', 'businessId'] as const;

/** A setting that is not known to be harmless asks: a provider's next one is no way around. */
function changesCredentials(body: unknown): boolean {
  const { secrets, settings, ...rest } = fieldsOf(body);
  const isSteered = Object.keys(fieldsOf(settings)).some((name) => !harmlessSettings.has(name));
  return isSteered || Object.keys(fieldsOf(secrets)).length > 0 || olderCredentials.some((name) => name in rest);
}

function fieldsOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}

/** Throws for a name in the table that no route has: such an act would ask nobody. */
export function checkDangerousActs(routes: readonly { readonly method: string; readonly url: string }[]): void {
  const known = new Set(routes.map(({ method, url }) => `${method} ${url}`));
  const missing = [...actOfRoute.keys()].filter((name) => !known.has(name));
  if (missing.length > 0) throw new Error(`the table of dangerous acts names no route: ${missing.join(', ')}`);
}

/** The table as people read it, for `docs/roles.md`. */
export function dangerousActsAsMarkdown(): string {
  const rows = dangerousActs.map(
    ({ act, why, routes }) => `| ${act} | ${why} | ${routes.map((route) => `\`${route}\``).join('<br>')} |`,
  );
  return ['| act | why | routes |', '| --- | --- | --- |', ...rows].join('\n');
}
