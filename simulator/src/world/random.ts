/**
 * Seeded randomness (sfc32): the same seed gives the same ids, the same faults and the same jitter. Not for secrets.
 */
export interface Random {
  /** From 0 up to, not including, 1. */
  next(): number;
  /** Upper-case hexadecimal digits. */
  hex(digits: number): string;
}

export function createRandom(seed: number): Random {
  let a = 0x9e3779b9 | 0;
  let b = 0x243f6a88 | 0;
  let c = 0xb7e15162 | 0;
  let d = seed | 0;
  const word = (): number => {
    const sum = (a + b + d) | 0;
    d = (d + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = ((c << 21) | (c >>> 11)) + sum;
    return sum >>> 0;
  };
  for (let round = 0; round < 15; round += 1) word();
  return {
    next: () => word() / 4294967296,
    hex: (digits) => {
      let text = '';
      while (text.length < digits) text += (word() + 0x100000000).toString(16).slice(1);
      return text.slice(0, digits).toUpperCase();
    },
  };
}
