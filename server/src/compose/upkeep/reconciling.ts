/** Reconciliation as the server and the command line run it. */
import type { ServingAccount } from '#accounts';
import {
  createReceiver,
  inboxTopic,
  type Receiver,
  type ReconcileDeps,
  type Reconciliation,
  reconcile,
  type Span,
} from '#inbox';
import { channels } from '../channels.ts';
import type { Product } from '../rooms.ts';

export function reconcileDeps(product: Product, receiver: Pick<Receiver, 'receive'>): ReconcileDeps {
  const { networkOf, foundation } = product;
  const { storage, clock } = foundation;
  return { storage, channels, receiver, networkOf, clock };
}

/** Without a server's receiver: what is recovered is stored and waits for the next server, or the one that runs. */
export async function reconcileByCommand(
  product: Product,
  account: ServingAccount,
  span: Span,
): Promise<Reconciliation> {
  const { storage, log, engines } = product.foundation;
  const receiver = createReceiver({ storage, log });
  try {
    const signal = new AbortController().signal;
    const asked = { account, span, reason: 'asked', signal } as const;
    const { filled: _ofOneLook, ...found } = await reconcile(reconcileDeps(product, receiver), asked);
    if (found.recovered > 0) await engines.doorbell.ring(inboxTopic);
    return found;
  } finally {
    await receiver.close();
  }
}
