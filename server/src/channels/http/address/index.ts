/** Where outgoing calls may go. */
export { parseOutgoingUrl } from './outgoing-url.ts';
export { type AddressRange, parseRange } from './ranges.ts';
export {
  anywhere,
  createReach,
  forbiddenCode,
  isForbiddenLiteral,
  lookupWithin,
  portOf,
  type Reach,
  type Resolver,
} from './reach.ts';
