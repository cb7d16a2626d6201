import { displayPhone, providers } from '@switchyard/contract';
import { z } from 'zod';
import type { AccountSummary, Health } from '#accounts';

const statuses = ['disconnected', 'connecting', 'connected', 'error'] as const;

/** An account as `/settings/whatsapp-accounts` gave it, and what newer fields its clients may like to have. */
export const olderAccountSchema = z
  .object({
    id: z.uuid(),
    uuid: z.uuid(),
    phone_number: z.string().nullable(),
    formatted_phone_number: z.string().nullable(),
    display_phone_number: z.string().nullable(),
    account_name: z.string(),
    /** Of the oldest name: the same as `account_name`. */
    session_name: z.string(),
    provider_type: z.enum(providers),
    connection_status: z.enum(statuses),
    /** The name of `connection_status` before that. */
    status: z.enum(statuses),
    is_primary: z.boolean(),
    is_active: z.boolean(),
    is_healthy: z.boolean(),
    health_score: z.int(),
    last_activity_at: z.string().nullable(),
    last_connected_at: z.string().nullable(),
    created_at: z.string(),
  })
  .meta({ id: 'OlderAccount' });
export type OlderAccount = z.infer<typeof olderAccountSchema>;

export function presentOlderAccount(account: AccountSummary, health: Health | undefined): OlderAccount {
  return {
    id: account.id,
    uuid: account.id,
    phone_number: account.phoneNumber,
    formatted_phone_number: account.phoneNumber,
    display_phone_number: account.phoneNumber && displayPhone(account.phoneNumber),
    account_name: account.name,
    session_name: account.name,
    provider_type: account.provider,
    connection_status: account.connectionStatus,
    status: account.connectionStatus,
    is_primary: account.isPrimary,
    is_active: account.isActive,
    is_healthy: health?.isHealthy ?? false,
    health_score: health?.score ?? 0,
    last_activity_at: account.lastActivityAt?.toISOString() ?? null,
    last_connected_at: account.lastConnectedAt?.toISOString() ?? null,
    created_at: account.createdAt.toISOString(),
  };
}
