import { encode } from 'uqr';

/** Square, without the quiet border of four modules. */
export interface QrMatrix {
  readonly size: number;
  isDark(row: number, column: number): boolean;
}

/** What the largest code of error correction level L holds (ISO/IEC 18004, table 7, byte mode). */
const maxBytes = 2_953;

/** null: longer than the largest code can hold. */
export function qrCodeOf(text: string): QrMatrix | null {
  if (new TextEncoder().encode(text).length > maxBytes) return null;
  const { size, data } = encode(text, { ecc: 'L', border: 0 });
  return { size, isDark: (row, column) => data[row]?.[column] === true };
}
