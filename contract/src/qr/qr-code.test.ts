import { expect, it } from 'vitest';
import { qrCodeOf, qrPath, qrText } from './index.ts';

/** Read back by a reader of another hand before it was written down here. */
const hello = `
#######..#.##.#######
#.....#.##.#..#.....#
#.###.#.##..#.#.###.#
#.###.#..#.#..#.###.#
#.###.#.#...#.#.###.#
#.....#.#..##.#.....#
#######.#.#.#.#######
........#####........
##.#..##.##...###.##.
....#....##...##.#.#.
..#.#.#.##..##....#.#
######.#.#.#....##.#.
.....##.###.#.##....#
........#..#...#.####
#######.#.#..#.####..
#.....#...####.#....#
#.###.#..#.#..###...#
#.###.#.####...###.##
#.###.#..##.#..####.#
#.....#.#....####....
#######.#####..#.#.#.
`.trim();

it('draws a text as the standard says', () => {
  const code = qrCodeOf('2@hello')!;
  const rows = Array.from({ length: code.size }, (_, row) =>
    Array.from({ length: code.size }, (_, column) => (code.isDark(row, column) ? '#' : '.')).join(''),
  );
  expect(rows.join('\n')).toBe(hello);
});

it.each([
  [17, 21],
  [18, 25],
  [230, 53],
  [271, 57],
  [321, 61],
  [2_953, 177],
])('holds %i bytes in a square of %i', (bytes, size) => {
  expect(qrCodeOf('x'.repeat(bytes))?.size).toBe(size);
});

it('counts bytes, not characters, and holds no more than the largest code does', () => {
  expect(qrCodeOf('é'.repeat(9))?.size).toBe(25);
  expect(qrCodeOf('x'.repeat(2_954))).toBeNull();
});

it('leaves a light border of four modules, on screen and in a terminal', () => {
  const code = qrCodeOf('2@hello')!;
  expect(qrPath(code)).toMatchObject({ side: 29, path: expect.stringMatching(/^M4 4h1v1h-1z/) });
  const lines = qrText(code).split('\n');
  expect(lines).toHaveLength(15);
  expect(lines[0]).toBe('█'.repeat(29));
  expect(lines[2]).toBe('████ ▄▄▄▄▄ █▀ █ ▄█ ▄▄▄▄▄ ████');
  expect(qrText(code, true).split('\n')[2]).toBe('    █▀▀▀▀▀█ ▄█ █▀ █▀▀▀▀▀█    ');
});
