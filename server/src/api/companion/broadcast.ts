/** What a companion broadcasts: `{event, data}`, in the words that older companions use. */
import { type AccountEvent, type AccountId, parseId, parsePhone, type WorkspaceId } from '@switchyard/contract';
import { z } from 'zod';
import { connectionEvent } from '#accounts';

const idOf = <Name extends 'account' | 'workspace'>(name: Name) =>
  z
    .string()
    .max(100)
    .transform((text, context) => {
      const id = parseId(name, text);
      if (id) return id;
      context.addIssue(`is no id of a ${name}`);
      return z.NEVER;
    });

export const qrLimits = { maxCodeLength: 65_536, maxSeconds: 3_600, defaultSeconds: 300 } as const;

const qrSchema = z.strictObject({
  qr_code: z.string().min(1).max(qrLimits.maxCodeLength),
  expires_in: z.int().min(1).max(qrLimits.maxSeconds).default(qrLimits.defaultSeconds),
  workspace_id: idOf('workspace'),
  account_id: idOf('account'),
});

/** The last two are what older sessions were called. */
const connections = {
  connected: 'connected',
  connecting: 'connecting',
  disconnected: 'disconnected',
  error: 'error',
  qr_scanning: 'connecting',
  authenticated: 'connected',
} as const;

const statusSchema = z.strictObject({
  account_id: idOf('account'),
  status: z.enum(Object.keys(connections) as (keyof typeof connections)[]),
  workspace_id: idOf('workspace'),
  phone_number: z.string().max(40).nullish(),
  metadata: z.record(z.string().max(100), z.unknown()).nullish(),
});

export interface Broadcast {
  readonly workspaceId: WorkspaceId;
  readonly accountId: AccountId;
  readonly event: AccountEvent;
  /** The number that turned out to be linked; E.164. */
  readonly phoneNumber: string | null;
}

export type ParsedBroadcast =
  | { readonly kind: 'broadcast'; readonly broadcast: Broadcast }
  | { readonly kind: 'unknown-event' }
  | { readonly kind: 'misfit'; readonly errors: Readonly<Record<string, readonly string[]>> };

export function parseBroadcast(event: string, data: unknown, now: Date): ParsedBroadcast {
  switch (event) {
    case 'qr-code-generated': {
      const parsed = qrSchema.safeParse(data);
      return parsed.success ? taken(qrBroadcast(parsed.data, now)) : misfit(parsed.error);
    }
    case 'account-status-changed': {
      const parsed = statusSchema.safeParse(data);
      return parsed.success ? taken(statusBroadcast(parsed.data, now)) : misfit(parsed.error);
    }
    default:
      return { kind: 'unknown-event' };
  }
}

/** A picture comes as a data URL, else it is the text of the code. */
function qrBroadcast(data: z.infer<typeof qrSchema>, now: Date): Broadcast {
  const isPicture = data.qr_code.startsWith('data:image/');
  const qr = { code: isPicture ? null : data.qr_code, image: isPicture ? data.qr_code : null, pairingCode: null };
  const event: AccountEvent = {
    ...connectionEvent('connecting', now, null),
    type: 'qr',
    name: 'qr-code-generated',
    qr,
    facts: { expiresInSeconds: data.expires_in },
  };
  return { workspaceId: data.workspace_id, accountId: data.account_id, event, phoneNumber: null };
}

function statusBroadcast(data: z.infer<typeof statusSchema>, now: Date): Broadcast {
  const reason = data.metadata?.reason;
  const plain = connectionEvent(
    connections[data.status],
    now,
    typeof reason === 'string' ? reason.slice(0, 500) : null,
  );
  const event: AccountEvent = { ...plain, name: 'account-status-changed', facts: { ...data.metadata, ...plain.facts } };
  const phoneNumber = data.phone_number ? (parsePhone(data.phone_number) ?? null) : null;
  return { workspaceId: data.workspace_id, accountId: data.account_id, event, phoneNumber };
}

function taken(broadcast: Broadcast): ParsedBroadcast {
  return { kind: 'broadcast', broadcast };
}

function misfit(error: z.ZodError): ParsedBroadcast {
  const errors: Record<string, string[]> = {};
  for (const issue of error.issues) {
    const names = issue.code === 'unrecognized_keys' ? issue.keys : [issue.path.join('.') || 'data'];
    for (const name of names) errors[name] = [...(errors[name] ?? []), issue.message];
  }
  return { kind: 'misfit', errors };
}
