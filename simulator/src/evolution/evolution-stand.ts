/** Evolution API v1 and v2: its webhooks (providers.md 4.2 to 4.5). */
import type { Posting } from '../posting/posting.ts';
import { secondsOf } from '../world/clock.ts';
import type { SimNumber } from '../world/number.ts';
import type { Fields } from '../world/read.ts';
import type { Inbound, ReceiptStatus, SentMessage, Stand } from '../world/stand.ts';
import type { World } from '../world/world.ts';
import { instanceIdOf, instanceOf, jidOf, keyOf, messageKeyId, ownJid } from './addresses.ts';
import { fileIdOf, messageForm } from './message-form.ts';
import type { EvolutionMessages } from './message-store.ts';
import { pairingOf } from './pairing.ts';
import { eventPosting } from './webhook.ts';

const statusNames = {
  sent: 'SERVER_ACK',
  delivered: 'DELIVERY_ACK',
  read: 'READ',
  played: 'PLAYED',
  failed: 'ERROR',
  deleted: 'DELETED',
} as const satisfies Record<ReceiptStatus, string>;

export function createEvolutionStand(messages: EvolutionMessages): Stand {
  return {
    messageId: (world) => messageKeyId(world.random),
    inbound: (world, number, inbound) => inboundPosting(world, number, inbound, messages),
    receipt: (world, sent, status) => receiptPosting(world, sent, status, messages),
    account: (world, number, change) => accountPosting(world, number, change.name, change.value),
    connection: connectionPostings,
  };
}

function inboundPosting(
  world: World,
  number: SimNumber,
  inbound: Inbound,
  messages: EvolutionMessages,
): Posting | null {
  const changed = number.version === 'v2' ? changePosting(world, number, inbound) : null;
  if (changed) return changed;
  const form = messageForm(world, number, inbound);
  if (!form) return null;
  const isEcho = inbound.content.type === 'echo';
  const data = upsertData(world, number, inbound, form);
  messages.add({
    instance: instanceOf(number),
    key: data.key,
    pushName: data.pushName,
    message: form.message,
    messageType: form.messageType,
    messageTimestamp: data.messageTimestamp,
    source: data.source,
    status: 'DELIVERY_ACK',
  });
  return eventPosting(world, number, {
    event: 'messages.upsert',
    data,
    operation: isEcho ? 'echo' : 'message',
    what: inbound.content.type,
    customer: inbound.customer.key,
    messageId: inbound.id,
  });
}

function upsertData(
  world: World,
  number: SimNumber,
  inbound: Inbound,
  form: NonNullable<ReturnType<typeof messageForm>>,
) {
  const isEcho = inbound.content.type === 'echo';
  const owner = number.version === 'v1' ? { owner: instanceOf(number) } : { instanceId: instanceIdOf(number) };
  return {
    key: keyOf(number, inbound, isEcho),
    pushName: isEcho ? number.name : inbound.customer.name,
    ...(number.version === 'v2' ? { status: 'DELIVERY_ACK' } : {}),
    ...form,
    message: withBase64(world, number, form.message),
    messageTimestamp: secondsOf(inbound.atMs),
    ...owner,
    source: 'android',
  };
}

/** With `base64` switched on the bytes come along in the message. */
function withBase64(world: World, number: SimNumber, message: Fields): Fields {
  if (!number.webhook.isBase64) return message;
  const media = Object.values(message).find(
    (part): part is { directPath: string } => typeof part === 'object' && part !== null && 'directPath' in part,
  );
  const file = media ? world.media.get(fileIdOf(media.directPath) ?? '') : undefined;
  return file ? { ...message, base64: file.bytes.toString('base64') } : message;
}

/** v2 reports an edit as `messages.edited`, a deletion as `messages.delete`. */
function changePosting(world: World, number: SimNumber, inbound: Inbound): Posting | null {
  const { content, customer } = inbound;
  if (content.type !== 'edit' && content.type !== 'delete') return null;
  const key = { remoteJid: jidOf(customer), fromMe: false, id: content.targetId };
  const event = {
    operation: 'message' as const,
    what: content.type,
    customer: customer.key,
    messageId: inbound.id,
  };
  if (content.type === 'delete') return eventPosting(world, number, { ...event, event: 'messages.delete', data: key });
  const data = {
    key,
    type: 14,
    editedMessage: { conversation: content.text },
    timestampMs: String(inbound.atMs),
    instanceId: instanceIdOf(number),
  };
  return eventPosting(world, number, { ...event, event: 'messages.edited', data });
}

function receiptPosting(
  world: World,
  sent: SentMessage,
  status: ReceiptStatus,
  messages: EvolutionMessages,
): Posting | null {
  const { number } = sent;
  const name = statusNames[status];
  const known = messages.get(instanceOf(number), sent.messageId);
  if (known) known.status = name;
  return eventPosting(world, number, {
    event: 'messages.update',
    data: number.version === 'v1' ? updateV1(world, sent, name) : updateV2(sent, name),
    operation: 'receipt',
    what: name,
    customer: sent.customer.key,
    messageId: sent.messageId,
  });
}

function updateV1(world: World, sent: SentMessage, status: string): Fields {
  const key = { remoteJid: jidOf(sent.customer), fromMe: true, id: sent.messageId };
  return { ...key, key, status, datetime: world.clock.now(), owner: instanceOf(sent.number) };
}

function updateV2(sent: SentMessage, status: string): Fields {
  return {
    keyId: sent.messageId,
    remoteJid: jidOf(sent.customer),
    fromMe: true,
    participant: jidOf(sent.customer),
    status,
    instanceId: instanceIdOf(sent.number),
    messageId: `cm${sent.messageId.toLowerCase().slice(-22)}`,
  };
}

function accountPosting(world: World, number: SimNumber, event: string, data: Fields): Posting | null {
  return eventPosting(world, number, { event, data, operation: 'account', what: event, customer: '', messageId: '' });
}

/** A lost connection for good is `close` and `status.instance`; a QR cycle is one `qrcode.updated` after another. */
function connectionPostings(world: World, number: SimNumber, cause: 'open' | 'ban' | 'disconnect' | 'qr'): Posting[] {
  const instance = instanceOf(number);
  const post = (event: string, data: Fields) => accountPosting(world, number, event, data);
  const all = (postings: (Posting | null)[]) => postings.filter((posting) => posting !== null);
  switch (cause) {
    case 'open':
      return all([
        post('connection.update', {
          instance,
          wuid: ownJid(number),
          profileName: number.name,
          profilePictureUrl: null,
          state: 'open',
          statusReason: 200,
        }),
      ]);
    case 'qr':
      return all([
        post('connection.update', { instance, state: 'connecting', statusReason: 200 }),
        post('qrcode.updated', { qrcode: { instance, ...pairingOf(world, number) } }),
      ]);
    case 'ban':
      return all(closePostings(world, number, 403, post));
    case 'disconnect':
      return all(closePostings(world, number, 401, post));
    default: {
      const never: never = cause;
      return never;
    }
  }
}

function closePostings(
  world: World,
  number: SimNumber,
  reason: number,
  post: (event: string, data: Fields) => Posting | null,
): (Posting | null)[] {
  const instance = instanceOf(number);
  const closed = {
    instance,
    status: 'closed',
    disconnectionAt: new Date(world.clock.now()).toISOString(),
    disconnectionReasonCode: reason,
    disconnectionObject: JSON.stringify({ error: { output: { statusCode: reason } } }),
  };
  return [
    post('status.instance', closed),
    post('connection.update', { instance, state: 'close', statusReason: reason }),
  ];
}
