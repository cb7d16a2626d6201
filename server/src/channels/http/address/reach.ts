/**
 * Which addresses an outgoing call may be made to. A URL that a tenant gives could name a machine beside ours, so it is
 * checked by where it leads and not by how it reads: the name is resolved once, every address that comes back must be
 * allowed, and those very addresses are dialled. A name that answers otherwise the next time (DNS rebinding) changes
 * nothing, since the checked answer is the one that is used.
 */
import { type LookupAddress, type LookupOptions, lookup } from 'node:dns';
import { isIP, type LookupFunction } from 'node:net';
import { parseAddress } from './parse-address.ts';
import { isPublic } from './public-address.ts';
import { type AddressRange, isIn } from './ranges.ts';

export type Resolver = (
  name: string,
  options: LookupOptions & { readonly all: true },
  answer: (error: NodeJS.ErrnoException | null, addresses: readonly LookupAddress[]) => void,
) => void;

export interface Reach {
  /** Reaches of one name allow the same: connections are kept by it. */
  readonly name: string;
  allows(address: string, port: number): boolean;
  readonly resolve: Resolver;
}

const resolveByDns: Resolver = (name, options, answer) =>
  lookup(name, options, (error, addresses) => answer(error, addresses));

/** For what the operator set, never for what a tenant gave. */
export const anywhere: Reach = { name: 'anywhere', allows: () => true, resolve: resolveByDns };

/** The internet's addresses, and of the others those that the operator allows. */
export function createReach(allowed: readonly AddressRange[], resolve: Resolver = resolveByDns): Reach {
  return {
    name: ['public', ...allowed.map(({ text }) => text).sort()].join(' '),
    allows(text, port) {
      const address = parseAddress(text);
      if (!address) return false;
      return isPublic(address) || allowed.some((range) => isIn(range, address) && isAtPort(range, port));
    },
    resolve,
  };
}

function isAtPort({ ports }: AddressRange, port: number): boolean {
  return ports === undefined || (port >= ports[0] && port <= ports[1]);
}

/** The code of the error that a connection ends with when it would leave the reach. */
export const forbiddenCode = 'ADDRESS_FORBIDDEN';

/** Of a host that is an address itself, which no look-up is made for. Names are judged by `lookupWithin`. */
export function isForbiddenLiteral(url: URL, reach: Reach): boolean {
  const host = url.hostname.replace(/^\[|\]$/g, '');
  return isIP(host) !== 0 && !reach.allows(host, portOf(url));
}

/** For `net.connect`: gives the addresses that were checked. One of them that is forbidden forbids all. */
export function lookupWithin(reach: Reach, port: number): LookupFunction {
  return (name, options, answer) => {
    reach.resolve(name, { ...options, all: true }, (error, addresses) => {
      const [first] = addresses ?? [];
      if (error) return answer(error, []);
      if (!first || !addresses.every(({ address }) => reach.allows(address, port))) return answer(forbidden(), []);
      return options.all ? answer(null, [...addresses]) : answer(null, first.address, first.family);
    });
  };
}

/** Says neither the name nor the address: what answers inside a network is none of a tenant's business. */
function forbidden(): NodeJS.ErrnoException {
  return Object.assign(new Error('the name leads to an address that may not be called'), { code: forbiddenCode });
}

export function portOf(url: URL): number {
  if (url.port !== '') return Number(url.port);
  return url.protocol === 'https:' ? 443 : 80;
}
