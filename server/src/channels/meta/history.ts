/** History of a number in coexistence: chunks of threads of messages, or the news that the owner declined. */
import type { Normalised } from '../channel.ts';
import { idAt, joinNormalised, memberOf, nothingRead, type Part, readItems, readPart } from '../reading/index.ts';
import { readAccountPart } from './account-parts.ts';
import { readPastMessage } from './messages.ts';
import type { MetaValue } from './value.ts';

export function readHistoryChunk(chunk: Part, of: MetaValue): Normalised {
  const progress = memberOf(chunk, 'metadata');
  return joinNormalised([
    progress ? readPart(progress, (part) => readAccountPart(part, of, 'account', 'history')) : nothingRead,
    readItems(chunk, 'errors', (error) => readAccountPart(error, of, 'error', 'history')),
    readItems(chunk, 'threads', (thread) => readThread(thread, of)),
  ]);
}

/** A thread's id is the customer's wa_id; newer ones say more in `context`. */
function readThread(thread: Part, of: MetaValue): Normalised {
  const named = {
    waId: idAt(thread.value, 'context', 'wa_id') ?? idAt(thread.value, 'id'),
    userId: idAt(thread.value, 'context', 'user_id'),
  };
  const customer = named.waId === undefined && named.userId === undefined ? undefined : named;
  return readItems(thread, 'messages', (message) => readPastMessage(message, of, customer));
}
