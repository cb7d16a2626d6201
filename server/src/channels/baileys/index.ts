/** WhatsApp's own message objects, as Baileys gives them: what Evolution and the web companion share. */
export { type Acknowledgement, acknowledgementOf, acknowledgementOfName } from './acknowledgement.ts';
export { contentOfMessage } from './content.ts';
export { keyParts, type MessageKey, readKey } from './key.ts';
export { instantOfLong, longOf } from './long.ts';
export { messageEventOf, type Origin } from './message-event.ts';
export { contactOfVcard } from './vcard.ts';
