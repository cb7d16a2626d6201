/** What is kept of people and for how long: export and erasure of one contact, retention of raw records. */
export { createPrivacy, type PrivacyDeps } from './create-privacy.ts';
export * from './privacy.ts';
export * from './retention/index.ts';
