/** WhatsApp's own addresses. */
export { identitiesOfJids, type Jid, type JidKind, parseJid, silenceOf } from './jid.ts';
