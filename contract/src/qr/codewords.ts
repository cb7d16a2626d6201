/** From text to the bytes that a QR code of some version holds: UTF-8, error correction of level M. Pure. */
import { checkBytes } from './reed-solomon.ts';

/** Check bytes in each block, and blocks, of versions 1 to 20 (ISO/IEC 18004, table 9, level M). */
const checkBytesPerBlock = [10, 16, 26, 18, 24, 16, 18, 22, 22, 26, 30, 22, 22, 24, 24, 28, 28, 26, 26, 26] as const;
const blockCounts = [1, 1, 1, 2, 2, 4, 4, 4, 5, 5, 5, 8, 9, 9, 10, 10, 11, 13, 14, 16] as const;
export const maxVersion = 20;

/** Throws RangeError for a text that version 20 cannot hold (666 bytes). */
export function codewordsOf(text: string): { readonly version: number; readonly codewords: readonly number[] } {
  const bytes = new TextEncoder().encode(text);
  for (let version = 1; version <= maxVersion; version += 1) {
    const capacity = dataBytes(version);
    const headBits = 4 + lengthBits(version);
    if (headBits + bytes.length * 8 > capacity * 8) continue;
    return { version, codewords: interleave(version, padded(bytes, version, capacity)) };
  }
  throw new RangeError(`${bytes.length} bytes are too many for a QR code of version ${maxVersion}`);
}

/** Modules that are neither pattern nor format, in whole bytes. */
export function wholeBytes(version: number): number {
  let modules = (16 * version + 128) * version + 64;
  if (version >= 2) {
    const aligned = Math.floor(version / 7) + 2;
    modules -= (25 * aligned - 10) * aligned - 55;
    if (version >= 7) modules -= 36;
  }
  return Math.floor(modules / 8);
}

function blocksOf(version: number) {
  return { blocks: blockCounts[version - 1] ?? 1, checks: checkBytesPerBlock[version - 1] ?? 10 };
}

function dataBytes(version: number): number {
  const { blocks, checks } = blocksOf(version);
  return wholeBytes(version) - blocks * checks;
}

const lengthBits = (version: number) => (version <= 9 ? 8 : 16);

/** Byte mode, the length, the bytes, an end, and the padding of the standard. */
function padded(bytes: Uint8Array, version: number, capacity: number): number[] {
  const bits: number[] = [];
  const put = (value: number, width: number) => {
    for (let bit = width - 1; bit >= 0; bit -= 1) bits.push((value >>> bit) & 1);
  };
  put(0b0100, 4);
  put(bytes.length, lengthBits(version));
  for (const byte of bytes) put(byte, 8);
  put(0, Math.min(4, capacity * 8 - bits.length));
  put(0, (8 - (bits.length % 8)) % 8);
  const data = Array.from({ length: bits.length / 8 }, (_, at) =>
    bits.slice(at * 8, at * 8 + 8).reduce((byte, bit) => (byte << 1) | bit, 0),
  );
  for (let pad = 0xec; data.length < capacity; pad ^= 0xec ^ 0x11) data.push(pad);
  return data;
}

/** In blocks, the later of which are a byte longer where it does not divide; then byte by byte of all blocks in turn. */
function interleave(version: number, data: readonly number[]): number[] {
  const { blocks: count, checks } = blocksOf(version);
  const short = Math.floor(data.length / count);
  const longer = data.length % count;
  const blocks: number[][] = [];
  let from = 0;
  for (let at = 0; at < count; at += 1) {
    const length = short + (at >= count - longer ? 1 : 0);
    blocks.push(data.slice(from, from + length));
    from += length;
  }
  const checked = blocks.map((block) => checkBytes(block, checks));
  return [...inTurns(blocks), ...inTurns(checked)];
}

function inTurns(blocks: readonly (readonly number[])[]): number[] {
  const longest = Math.max(...blocks.map(({ length }) => length));
  return Array.from({ length: longest }, (_, at) => blocks.flatMap((block) => block[at] ?? [])).flat();
}
