/**
 * Which addresses are the internet's. Source: IANA's special-purpose registries for IPv4 and IPv6 (RFC 6890 and its
 * followers), and the clouds' own pages for the two metadata services that stand outside them.
 */
import { type AddressBytes, isMapped } from './parse-address.ts';
import { type AddressRange, isIn, parseRange } from './ranges.ts';

const ranges = (...texts: readonly string[]): readonly AddressRange[] =>
  texts.flatMap((text) => parseRange(text) ?? []);

const notPublicV4 = ranges(
  '0.0.0.0/8', // this network
  '10.0.0.0/8',
  '100.64.0.0/10', // carrier-grade NAT; 100.100.100.200 is Alibaba's metadata service
  '127.0.0.0/8',
  '169.254.0.0/16', // link-local; 169.254.169.254 is most clouds' metadata service
  '172.16.0.0/12',
  '192.0.0.0/24', // protocol assignments; 192.0.0.192 is Oracle's metadata service
  '192.0.2.0/24',
  '192.88.99.0/24', // 6to4 relays
  '192.168.0.0/16',
  '198.18.0.0/15', // benchmarks
  '198.51.100.0/24',
  '203.0.113.0/24',
  '224.0.0.0/4', // multicast
  '240.0.0.0/4', // reserved, broadcast
  '168.63.129.16', // Azure's platform services, in public space
);

/** Of IPv6 only this is given out as unicast; unique local, link-local, multicast and the rest lie outside. */
const globalV6 = ranges('2000::/3');
const notPublicV6 = ranges(
  '2001::/23', // protocol assignments, Teredo among them
  '2001:db8::/32',
  '2002::/16', // 6to4: an IPv4 address in disguise
  '3fff::/20',
);
/** NAT64: the last four bytes are the IPv4 address that is meant. */
const translatedV6 = ranges('64:ff9b::/96');

export function isPublic(address: AddressBytes): boolean {
  if (isMapped(address)) return !isInAny(notPublicV4, address);
  if (isInAny(translatedV6, address)) return isPublic(asMapped(address.subarray(12)));
  return isInAny(globalV6, address) && !isInAny(notPublicV6, address);
}

function isInAny(list: readonly AddressRange[], address: AddressBytes): boolean {
  return list.some((range) => isIn(range, address));
}

function asMapped(last: Uint8Array): AddressBytes {
  return Uint8Array.from([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, ...last]);
}
