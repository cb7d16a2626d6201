import { isIPv4, isIPv6 } from 'node:net';

/** Sixteen bytes, whichever family: an IPv4 address stands in `::ffff:0:0/96`, so that it has one form only. */
export type AddressBytes = Uint8Array;

const mappedPrefix = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff] as const;

/** Undefined where the text is no address; a zone (`fe80::1%eth0`) is none either. */
export function parseAddress(text: string): AddressBytes | undefined {
  if (isIPv4(text)) return Uint8Array.from([...mappedPrefix, ...text.split('.').map(Number)]);
  return isIPv6(text) && !text.includes('%') ? parseIPv6(text) : undefined;
}

function parseIPv6(text: string): AddressBytes {
  const [head = '', tail] = text.split('::');
  const before = bytesOf(head);
  const after = bytesOf(tail ?? '');
  const gap = Array.from({ length: 16 - before.length - after.length }, () => 0);
  return Uint8Array.from([...before, ...gap, ...after]);
}

/** Groups of hexadecimal digits; the last may be a dotted IPv4 address. */
function bytesOf(groups: string): readonly number[] {
  if (groups === '') return [];
  return groups.split(':').flatMap((group) => {
    if (group.includes('.')) return group.split('.').map(Number);
    const value = Number.parseInt(group, 16);
    return [value >> 8, value & 0xff];
  });
}

export function isMapped(bytes: AddressBytes): boolean {
  return mappedPrefix.every((byte, index) => bytes[index] === byte);
}
