/** Comparing secrets in constant time. */
export { isAnySecret, isSameSecret } from './same-secret.ts';
