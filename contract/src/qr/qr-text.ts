import type { QrMatrix } from './qr-code.ts';
import { quietModules } from './qr-path.ts';

/**
 * For a terminal: two rows of modules in one line of half blocks. The light modules are drawn and the dark ones left
 * empty, as most terminals are dark; `isInverted` for those that are light.
 */
export function qrText(code: QrMatrix, isInverted = false): string {
  const isDrawn = (row: number, column: number) => code.isDark(row, column) === isInverted;
  const lines: string[] = [];
  for (let row = -quietModules; row < code.size + quietModules; row += 2) {
    let line = '';
    for (let column = -quietModules; column < code.size + quietModules; column += 1) {
      const [upper, lower] = [isDrawn(row, column), isDrawn(row + 1, column)];
      line += upper ? (lower ? '█' : '▀') : lower ? '▄' : ' ';
    }
    lines.push(line);
  }
  return lines.join('\n');
}
