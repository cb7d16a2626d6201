import { type AddressBytes, parseAddress } from './parse-address.ts';

/** A CIDR range in the one form of `parseAddress`, at every port or at those between two. */
export interface AddressRange {
  readonly text: string;
  readonly network: AddressBytes;
  /** How many bits of the sixteen bytes count. */
  readonly bits: number;
  readonly ports?: readonly [first: number, last: number];
}

/** IPv4, IPv6 in brackets (a port may follow either), bare IPv6. */
const shapes = [
  /^([\d.]+)(?:\/(\d{1,3}))?(?::(\d{1,5})(?:-(\d{1,5}))?)?$/,
  /^\[([\da-f:.]+)\](?:\/(\d{1,3}))?(?::(\d{1,5})(?:-(\d{1,5}))?)?$/i,
  /^([\da-f:.]+)(?:\/(\d{1,3}))?$/i,
] as const;

/** `10.1.0.0/16`, `192.168.1.7:8080`, `[fd00::7]:8080`, `fd00::/8`, `127.0.0.1:3001-3006`; undefined where it is none. */
export function parseRange(text: string): AddressRange | undefined {
  const parts = shapes.map((shape) => shape.exec(text)).find((found) => found !== null);
  const [, address = '', prefix, first, last = first] = parts ?? [];
  const network = parseAddress(address);
  if (!network) return undefined;
  const width = address.includes(':') ? 128 : 32;
  const wanted = prefix === undefined ? width : Number(prefix);
  if (wanted > width) return undefined;
  const range = { text, network, bits: wanted + 128 - width };
  if (first === undefined || last === undefined) return range;
  const ports = [Number(first), Number(last)] as const;
  return ports[0] >= 1 && ports[0] <= ports[1] && ports[1] <= 65_535 ? { ...range, ports } : undefined;
}

export function isIn(range: AddressRange, address: AddressBytes): boolean {
  const whole = range.bits >> 3;
  for (let index = 0; index < whole; index += 1) {
    if (range.network[index] !== address[index]) return false;
  }
  const rest = range.bits & 7;
  if (rest === 0) return true;
  const mask = 0xff & (0xff << (8 - rest));
  return ((range.network[whole] ?? 0) & mask) === ((address[whole] ?? 0) & mask);
}
