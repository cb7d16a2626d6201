/** QR codes (ISO/IEC 18004): for the console and for the terminal. */
export { type QrMatrix, qrCodeOf } from './qr-code.ts';
export { qrPath } from './qr-path.ts';
export { qrText } from './qr-text.ts';
