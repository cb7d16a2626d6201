/** Only a path of our own: `//other.example` and whole addresses lead elsewhere. */
export function returnPath(from: unknown): string {
  return typeof from === 'string' && /^\/(?![/\\])/.test(from) ? from : '/';
}
