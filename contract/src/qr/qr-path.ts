import type { QrMatrix } from './qr-code.ts';

/** Modules around a code that must stay light. */
export const quietModules = 4;

/** For an SVG: the path of the dark modules, and the side of its view box, quiet border included. */
export function qrPath(code: QrMatrix): { readonly path: string; readonly side: number } {
  const parts: string[] = [];
  for (let row = 0; row < code.size; row += 1)
    for (let column = 0; column < code.size; column += 1)
      if (code.isDark(row, column)) parts.push(`M${column + quietModules} ${row + quietModules}h1v1h-1z`);
  return { path: parts.join(''), side: code.size + 2 * quietModules };
}
