/** Loaded before the companion's own program: it trusts a stand-in that lives in another process, by the root named here. */
import { WA_CERT_DETAILS } from '@whiskeysockets/baileys/lib/Defaults/index.js';

WA_CERT_DETAILS.PUBLIC_KEY.set(Buffer.from(process.env.STAND_IN_ROOT ?? '', 'base64'));
