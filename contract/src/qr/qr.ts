/**
 * QR codes (ISO/IEC 18004, level M, byte mode, versions 1 to 20): a text as rows of dark and light modules, without the
 * quiet zone of four light modules that whoever draws it leaves around. Pure.
 */
import { codewordsOf } from './codewords.ts';

export type QrMatrix = readonly (readonly boolean[])[];

/** Throws RangeError for more than 666 bytes of UTF-8. */
export function qrCode(text: string): QrMatrix {
  const { version, codewords } = codewordsOf(text);
  const size = version * 4 + 17;
  const grid = new Grid(size);
  drawPatterns(grid, version);
  drawCodewords(grid, codewords);
  const masked = masks.map((_, mask) => withMask(grid, mask));
  return masked.reduce((best, other) => (penalty(other) < penalty(best) ? other : best));
}

/** null: not drawn yet. */
class Grid {
  readonly size: number;
  readonly dark: boolean[][];
  /** Patterns, format and version: not for data, and not masked. */
  readonly isFixed: boolean[][];

  constructor(size: number) {
    this.size = size;
    this.dark = Array.from({ length: size }, () => new Array<boolean>(size).fill(false));
    this.isFixed = Array.from({ length: size }, () => new Array<boolean>(size).fill(false));
  }

  fix(x: number, y: number, isDark: boolean): void {
    const row = this.dark[y];
    const fixed = this.isFixed[y];
    if (!row || !fixed || x < 0 || x >= this.size) return;
    row[x] = isDark;
    fixed[x] = true;
  }
}

function drawPatterns(grid: Grid, version: number): void {
  const end = grid.size - 1;
  for (let at = 0; at <= end; at += 1) {
    grid.fix(6, at, at % 2 === 0);
    grid.fix(at, 6, at % 2 === 0);
  }
  for (const [x, y] of [
    [3, 3],
    [end - 3, 3],
    [3, end - 3],
  ] as const)
    drawRings(grid, { x, y, radius: 4 });
  const places = alignments(version, grid.size);
  const last = places.length - 1;
  for (const [row, y] of places.entries())
    for (const [column, x] of places.entries()) {
      const isFinder = (row === 0 && (column === 0 || column === last)) || (row === last && column === 0);
      if (!isFinder) drawRings(grid, { x, y, radius: 2 });
    }
  drawFormat(grid, 0);
  drawVersion(grid, version);
}

/** A finder with its light border (radius 4), or an alignment pattern (radius 2). */
function drawRings(
  grid: Grid,
  { x, y, radius }: { readonly x: number; readonly y: number; readonly radius: number },
): void {
  for (let dy = -radius; dy <= radius; dy += 1)
    for (let dx = -radius; dx <= radius; dx += 1) {
      const ring = Math.max(Math.abs(dx), Math.abs(dy));
      grid.fix(x + dx, y + dy, radius === 4 ? ring !== 2 && ring !== 4 : ring !== 1);
    }
}

function alignments(version: number, size: number): readonly number[] {
  if (version === 1) return [];
  const count = Math.floor(version / 7) + 2;
  const step = Math.ceil((version * 4 + 4) / (count * 2 - 2)) * 2;
  const rest = Array.from({ length: count - 1 }, (_, at) => size - 7 - at * step);
  return [6, ...rest.reverse()];
}

/** Level M and the mask, with 10 check bits, twice. */
function drawFormat(grid: Grid, mask: number): void {
  const bits = formatBits(mask);
  const bit = (at: number) => ((bits >>> at) & 1) === 1;
  const { size } = grid;
  for (let at = 0; at <= 5; at += 1) grid.fix(8, at, bit(at));
  grid.fix(8, 7, bit(6));
  grid.fix(8, 8, bit(7));
  grid.fix(7, 8, bit(8));
  for (let at = 9; at < 15; at += 1) grid.fix(14 - at, 8, bit(at));
  for (let at = 0; at < 8; at += 1) grid.fix(size - 1 - at, 8, bit(at));
  for (let at = 8; at < 15; at += 1) grid.fix(8, size - 15 + at, bit(at));
  grid.fix(8, size - 8, true);
}

function formatBits(mask: number): number {
  const levelM = 0;
  const data = (levelM << 3) | mask;
  let rest = data;
  for (let count = 0; count < 10; count += 1) rest = (rest << 1) ^ ((rest >>> 9) * 0x537);
  return ((data << 10) | rest) ^ 0x5412;
}

/** From version 7 on the code says its version, with 12 check bits, twice. */
function drawVersion(grid: Grid, version: number): void {
  if (version < 7) return;
  let rest = version;
  for (let count = 0; count < 12; count += 1) rest = (rest << 1) ^ ((rest >>> 11) * 0x1f25);
  const bits = (version << 12) | rest;
  for (let at = 0; at < 18; at += 1) {
    const isDark = ((bits >>> at) & 1) === 1;
    const far = grid.size - 11 + (at % 3);
    const near = Math.floor(at / 3);
    grid.fix(far, near, isDark);
    grid.fix(near, far, isDark);
  }
}

/** In pairs of columns from the right, up and down by turns, around what is fixed. */
function drawCodewords(grid: Grid, codewords: readonly number[]): void {
  const { size } = grid;
  let next = 0;
  for (let right = size - 1; right >= 1; right -= 2) {
    if (right === 6) right = 5;
    for (let along = 0; along < size; along += 1) {
      const isUpward = ((right + 1) & 2) === 0;
      const y = isUpward ? size - 1 - along : along;
      for (const x of [right, right - 1]) {
        if (grid.isFixed[y]?.[x] || next >= codewords.length * 8) continue;
        const row = grid.dark[y];
        if (row) row[x] = (((codewords[next >>> 3] ?? 0) >>> (7 - (next & 7))) & 1) === 1;
        next += 1;
      }
    }
  }
}

const masks: readonly ((x: number, y: number) => boolean)[] = [
  (x, y) => (x + y) % 2 === 0,
  (_, y) => y % 2 === 0,
  (x) => x % 3 === 0,
  (x, y) => (x + y) % 3 === 0,
  (x, y) => (Math.floor(x / 3) + Math.floor(y / 2)) % 2 === 0,
  (x, y) => ((x * y) % 2) + ((x * y) % 3) === 0,
  (x, y) => (((x * y) % 2) + ((x * y) % 3)) % 2 === 0,
  (x, y) => (((x + y) % 2) + ((x * y) % 3)) % 2 === 0,
];

function withMask(plain: Grid, mask: number): QrMatrix {
  const grid = new Grid(plain.size);
  for (const [y, row] of plain.dark.entries())
    for (const [x, isDark] of row.entries()) {
      const isFlipped = !plain.isFixed[y]?.[x] && masks[mask]?.(x, y) === true;
      grid.fix(x, y, isDark !== isFlipped);
    }
  drawFormat(grid, mask);
  return grid.dark;
}

/** How hard it is to read: runs, blocks, what looks like a finder, and too much of one colour. */
function penalty(matrix: QrMatrix): number {
  const columns = matrix.map((_, x) => matrix.map((row) => row[x] === true));
  const lines = [...matrix, ...columns].map((line) => line.map((isDark) => (isDark ? '1' : '0')).join(''));
  const runs = lines.flatMap((line) => line.match(/0{5,}|1{5,}/g) ?? []).reduce((sum, run) => sum + run.length - 2, 0);
  const finders = lines.reduce((sum, line) => sum + countFinders(`0000${line}0000`), 0);
  const dark = lines.slice(0, matrix.length).join('').replaceAll('0', '').length;
  const unbalanced = Math.ceil(Math.abs(dark * 20 - matrix.length ** 2 * 10) / matrix.length ** 2) - 1;
  return runs + countBlocks(matrix) * 3 + finders * 40 + Math.max(0, unbalanced) * 10;
}

function countFinders(line: string): number {
  return [...line.matchAll(/(?=00001011101|10111010000)/g)].length;
}

function countBlocks(matrix: QrMatrix): number {
  let count = 0;
  for (let y = 1; y < matrix.length; y += 1)
    for (let x = 1; x < matrix.length; x += 1) {
      const corners = [matrix[y]?.[x], matrix[y - 1]?.[x], matrix[y]?.[x - 1], matrix[y - 1]?.[x - 1]];
      if (new Set(corners).size === 1) count += 1;
    }
  return count;
}
