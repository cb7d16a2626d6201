export { connectionEvent, createPairing, type PairingDeps } from './create-pairing.ts';
export * from './pairing.ts';
