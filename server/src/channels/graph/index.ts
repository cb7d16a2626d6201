/** What WhatsApp Cloud API and Instagram share, both being Meta's Graph API. */
export { checkContent, refusedContent } from './content-limits.ts';
export {
  accountEvent,
  type Change,
  type Entry,
  type EnvelopeReader,
  readChanges,
  readEnvelope,
  unknownEntry,
  unsupportedEvent,
  valueKey,
} from './envelope.ts';
export { type GraphCall, postToGraph } from './graph-client.ts';
export { type Advice, type ErrorRow, findAdvice, type GraphError, readGraphError } from './graph-error.ts';
export { answerGraphChallenge, maxChallengeLength } from './handshake.ts';
export { hasGraphSignature, verifyGraphSignature } from './signature.ts';
