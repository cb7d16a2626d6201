import { type Binding, channels } from '@switchyard/contract';
import type { AccountFields } from '#channels';
import type { RouteKind } from '../accounts.ts';

/** A route that an account claims. Two accounts of one workspace may share what is not `isExclusive`. */
export interface RouteClaim {
  readonly kind: RouteKind;
  readonly key: string;
  readonly isExclusive: boolean;
}

/** Words of the older routes' paths: an instance of such a name is reached by its token only. */
export const unroutableInstances: ReadonlySet<string> = new Set([...channels, 'test']);

/** The provider's ids of an account as events name them, `kind:value`. */
export function bindingsOf(fields: AccountFields, settings: Readonly<Record<string, string>>): readonly Binding[] {
  return fields.settings.flatMap(({ name, binds }) => {
    const value = settings[name];
    return binds && value ? [{ kind: binds, value: cleanBinding(binds, value) }] : [];
  });
}

/** One spelling of an id, whoever typed it: `+1415…` and `Whatsapp:+1415…` are `whatsapp:+1415…`. */
export function cleanBinding(kind: Binding['kind'], value: string): string {
  const trimmed = value.trim();
  if (kind !== 'twilio_address') return trimmed;
  const number = trimmed.replace(/^whatsapp:/i, '').trim();
  return /^\d+$/.test(number) ? `whatsapp:+${number}` : `whatsapp:${number}`;
}

const exclusiveKinds: ReadonlySet<string> = new Set(['phone_number_id', 'instagram_id', 'twilio_address', 'instance']);

/**
 * What of the bindings is routed by. A WABA holds several numbers, so the accounts of one workspace share it. Twilio's
 * account has many senders, so it is a route only for one without (a messaging service). Session names (`default`) are
 * anybody's, and no route goes by them.
 */
export function routesOf(bindings: readonly Binding[]): readonly RouteClaim[] {
  const hasSender = bindings.some(({ kind }) => kind === 'twilio_address');
  return bindings.flatMap(({ kind, value }): readonly RouteClaim[] => {
    if (kind === 'session') return [];
    if (kind === 'twilio_account') return hasSender ? [] : [{ kind: 'twilio_address', key: value, isExclusive: true }];
    if (kind === 'instance' && unroutableInstances.has(value.toLowerCase())) return [];
    return [{ kind, key: value, isExclusive: exclusiveKinds.has(kind) }];
  });
}
