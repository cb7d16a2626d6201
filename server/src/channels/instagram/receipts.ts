import type { InboundEvent, StatusEvent } from '@switchyard/contract';
import { unsupportedEvent } from '../graph/index.ts';
import { arrayAt, idAt, type JsonValue } from '../reading/index.ts';
import { keys } from './keys.ts';
import type { Exchanged } from './messaging.ts';

/** Instagram reports the last message seen; all before it are seen too. */
export function readSeen(of: Exchanged, read: JsonValue): readonly InboundEvent[] {
  const mid = idAt(read, 'mid');
  if (mid === undefined) return [unsupportedReceipt(of, 'read')];
  return [{ ...receipt(of, mid, keys.seen(mid)), type: 'read', isUpTo: true }];
}

/** A page's receipt, of several messages at once. */
export function readDelivered(of: Exchanged, delivery: JsonValue): readonly InboundEvent[] {
  const mids = arrayAt(delivery, 'mids')
    .map((mid) => idAt(mid))
    .filter((mid) => mid !== undefined);
  if (mids.length === 0) return [unsupportedReceipt(of, 'delivery')];
  return mids.map((mid) => ({ ...receipt(of, mid, keys.delivered(mid)), type: 'delivered' }));
}

function receipt(of: Exchanged, mid: string, key: string): Omit<StatusEvent, 'type'> {
  return {
    kind: 'status',
    key,
    occurredAt: of.occurredAt,
    bindings: of.bindings,
    path: of.item.path,
    providerMessageId: mid,
    customer: of.customer,
    errors: [],
  };
}

/** A page's receipts may name a time only, and then no message. */
function unsupportedReceipt(of: Exchanged, name: string): InboundEvent {
  const reason = 'a receipt that names no message';
  return unsupportedEvent({ entry: of.entry, name, part: of.item, bindings: of.bindings, reason });
}
