/** WhatsApp's own addresses. */
export { identitiesOfJids, type Jid, type JidKind, parseJid } from './jid.ts';
