import type { InboundEvent, ProviderError, StatusEvent, StatusType } from '@switchyard/contract';
import {
  arrayAt,
  idAt,
  instantOf,
  type JsonValue,
  objectAt,
  type Part,
  present,
  textAt,
  Unreadable,
  valueAt,
} from '../reading/index.ts';
import { type Named, personOf } from './people.ts';
import type { MetaValue } from './value.ts';

const known: readonly StatusType[] = ['sent', 'delivered', 'read', 'played', 'failed', 'deleted'];

/** A receipt. Its key is message id and status, the status as Meta writes it: one of each per message takes effect. */
export function readStatus(item: Part, of: MetaValue): readonly InboundEvent[] {
  const id = idAt(item.value, 'id');
  const status = idAt(item.value, 'status');
  if (id === undefined || status === undefined) throw new Unreadable('a status without an id or a name');
  const event: StatusEvent = present({
    kind: 'status',
    type: known.find((name) => name === status) ?? 'unknown',
    key: `${id}:${status}`,
    occurredAt: instantOf(valueAt(item.value, 'timestamp')) ?? of.entry.sentAt,
    bindings: of.bindings,
    path: item.path,
    providerMessageId: id,
    customer: personOf(recipientOf(item.value), of.contacts).identities,
    attemptId: idAt(item.value, 'biz_opaque_callback_data'),
    errors: arrayAt(item.value, 'errors').map(providerErrorOf),
    pricing: pricingOf(item.value),
  });
  return [event];
}

/** In a group `recipient_id` is the group; who received is the participant. */
function recipientOf(status: JsonValue): Named {
  if (textAt(status, 'recipient_type') === 'group') {
    return { waId: idAt(status, 'recipient_participant_id'), userId: idAt(status, 'recipient_participant_user_id') };
  }
  return { waId: idAt(status, 'recipient_id'), userId: idAt(status, 'recipient_user_id') };
}

function pricingOf(status: JsonValue): StatusEvent['pricing'] {
  const pricing = objectAt(status, 'pricing');
  if (!pricing) return undefined;
  return present({
    // Absent where the newer model leaves it out: then only `free` types are not billed.
    isBillable:
      valueAt(pricing, 'billable') === undefined
        ? !(textAt(pricing, 'type') ?? '').startsWith('free')
        : pricing.billable === true,
    category: idAt(pricing, 'category'),
    model: idAt(pricing, 'pricing_model'),
    type: idAt(pricing, 'type'),
  });
}

/** Older payloads carry only code and title; some put `details` beside them. */
export function providerErrorOf(error: JsonValue): ProviderError {
  return present({
    code: idAt(error, 'code') ?? 'unknown',
    title: textAt(error, 'title') ?? textAt(error, 'message') ?? '',
    detail: textAt(error, 'error_data', 'details') ?? textAt(error, 'details'),
  });
}
