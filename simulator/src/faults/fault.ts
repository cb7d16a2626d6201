/** Misbehaviour on order: which request or webhook it strikes, and how. `PUT /control/faults` takes a list of these. */
import { providers } from '../world/number.ts';
import { BadRequest, type Fields, fieldsOf, oneOf, optionalFlag, optionalNumber, optionalText } from '../world/read.ts';

/** What can happen to a request at a provider's door. `when` says whether the send was taken before it happened. */
export const doorKinds = [
  'rate_limited',
  'server_error',
  'reset',
  'timeout',
  'slow_drip',
  'ok_with_error',
  'wrong_id',
  'truncated',
  'huge',
  'html',
  'empty',
  'accepted_202',
  'error',
  'failed_receipt',
  'receipt_first',
] as const;

/** What can happen to a webhook. */
export const webhookKinds = ['duplicate', 'reorder', 'delay', 'batch', 'late_receipts', 'drop'] as const;

/** What can happen to the number itself, at once, until the rule is taken away. */
export const stateKinds = ['ban', 'disconnect', 'qr_cycle'] as const;

export type DoorKind = (typeof doorKinds)[number];
export type WebhookKind = (typeof webhookKinds)[number];
export type StateKind = (typeof stateKinds)[number];
export type FaultKind = DoorKind | WebhookKind | StateKind;

export const operations = ['send', 'read', 'media', 'call', 'message', 'receipt', 'account', 'echo'] as const;
export type Operation = (typeof operations)[number];

export interface Fault {
  readonly kind: FaultKind;
  readonly provider: string | null;
  readonly number: string | null;
  readonly customer: string | null;
  readonly operation: Operation | null;
  /** How often it may strike; null: always. */
  readonly times: number | null;
  /** How many matching requests pass first. */
  readonly after: number;
  readonly probability: number;
  /** `server_error`, `reset`, `timeout`: was the send taken? */
  readonly when: 'before' | 'after';
  readonly status: number;
  /** The provider's error code, as text: `131047`, `63016`, `not_connected`. */
  readonly code: string | null;
  /** `rate_limited`: seconds, or `date` for an HTTP date, or null for none. */
  readonly retryAfter: number | string | null;
  readonly milliseconds: number;
  /** `duplicate`: further copies; `batch`: how many at once. */
  readonly count: number;
  readonly bytes: number;
  /** `duplicate`: all copies at the same moment. */
  readonly isConcurrent: boolean;
}

const defaultMilliseconds: Partial<Record<FaultKind, number>> = {
  timeout: 120_000,
  delay: 1_000,
  late_receipts: 5_000,
  reorder: 2_000,
  batch: 500,
  slow_drip: 1_000,
  qr_cycle: 20_000,
};

const kinds = [...doorKinds, ...webhookKinds, ...stateKinds] as const;

export function parseFault(input: unknown): Fault {
  const fields = fieldsOf(input, 'rules[]');
  const kind = oneOf(fields.kind, kinds, 'kind');
  const provider = fields.provider ? oneOf(fields.provider, providers, 'provider') : null;
  const operation = fields.operation ? oneOf(fields.operation, operations, 'operation') : null;
  return {
    kind,
    provider,
    operation,
    number: optionalText(fields, 'number') ?? null,
    customer: optionalText(fields, 'customer') ?? null,
    times: optionalNumber(fields, 'times') ?? null,
    after: optionalNumber(fields, 'after') ?? 0,
    probability: optionalNumber(fields, 'probability') ?? 1,
    when: oneOf(fields.when ?? 'before', ['before', 'after'], 'when'),
    status: optionalNumber(fields, 'status') ?? 500,
    code: codeOf(fields),
    retryAfter: retryAfterOf(fields),
    milliseconds: optionalNumber(fields, 'milliseconds') ?? defaultMilliseconds[kind] ?? 0,
    count: optionalNumber(fields, 'count') ?? (kind === 'batch' ? 2 : 1),
    bytes: optionalNumber(fields, 'bytes') ?? 100 * 1024 * 1024,
    isConcurrent: optionalFlag(fields, 'isConcurrent') ?? false,
  };
}

export function isDoorKind(kind: FaultKind): kind is DoorKind {
  return (doorKinds as readonly string[]).includes(kind);
}

export function isStateKind(kind: FaultKind): kind is StateKind {
  return (stateKinds as readonly string[]).includes(kind);
}

function codeOf(fields: Fields): string | null {
  const code = fields.code;
  if (code === undefined || code === null) return null;
  if (typeof code !== 'string' && typeof code !== 'number') throw new BadRequest('code must be a number or a text');
  return String(code);
}

function retryAfterOf(fields: Fields): number | string | null {
  const value = fields.retryAfter;
  if (value === undefined || value === null) return null;
  if (typeof value !== 'number' && typeof value !== 'string')
    throw new BadRequest('retryAfter must be a number or a text');
  return value;
}
