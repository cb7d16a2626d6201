/** WhatsApp's own message objects, as Baileys gives them: what Evolution and the web companion share. */
export { type Acknowledgement, acknowledgementOf, acknowledgementOfName } from './acknowledgement.ts';
export { deletionOf, protocolEditOf } from './change-event.ts';
export { contentOfMessage } from './content.ts';
export { keyParts, type MessageKey, readKey } from './key.ts';
export { messageEventOf } from './message-event.ts';
export type { Origin } from './origin.ts';
export { receiptEventOf, updateEventOf } from './update-event.ts';
export { contactOfVcard } from './vcard.ts';
