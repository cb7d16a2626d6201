import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { type QrMatrix, qrCode } from '../src/index.ts';

const digest = (matrix: QrMatrix) =>
  createHash('sha256')
    .update(matrix.map((row) => row.map(Number).join('')).join('\n'))
    .digest('hex')
    .slice(0, 16);

/** These very matrices were read back, letter by letter, by a decoder that is not ours (jsQR 1.4.0). */
test.each([
  ['hola', 21, 'c7f01e87d0987905'],
  ['ñandú 日本 otpauth', 25, 'ce0190f22736bd80'],
  ['x'.repeat(122), 45, '91c925bdfb77e72b'],
  ['x'.repeat(666), 97, '497df6c35a67d13f'],
] as const)('draws %s as it was read by another’s decoder', (text, size, known) => {
  const matrix = qrCode(text);
  expect([matrix.length, matrix[0]?.length]).toEqual([size, size]);
  expect(digest(matrix)).toBe(known);
});

test('refuses what the largest version cannot hold', () => {
  expect(() => qrCode('x'.repeat(667))).toThrow(RangeError);
});
