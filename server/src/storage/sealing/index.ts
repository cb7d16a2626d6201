/** Keyring, sealer, tokens and passwords. */
export { createKeyFileSealer, keyFollowMs } from './key-file-sealer-store.ts';
export { addKey, KeyFileUnsafe, keyFileName, loadOrMakeKey } from './key-file-store.ts';
export { type Keyring, KeyringUnreadable, keyText, parseKeyring } from './keyring.ts';
export { createLanes, type Lanes } from './lanes.ts';
export {
  createPasswords,
  maxPasswordBytes,
  type PasswordOptions,
  type Passwords,
  type PasswordVerdict,
  passwordCost,
} from './passwords.ts';
export { nothingResealed, type Resealed, resealAll } from './reseal-store.ts';
export { createSealer, reseal, SealBroken, type SealBrokenCode } from './sealer.ts';
export { hashToken, isSameSecret, newToken, sha256, sha256Hex } from './tokens.ts';
