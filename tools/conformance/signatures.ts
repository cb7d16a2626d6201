/** Every vector of a signature must hold, or must be refused, as its expectation says. */
import { channels } from '../../server/src/compose/index.ts';
import { contentTypeOf, type Entry } from './manifest.ts';
import type { Verdict } from './verdict.ts';

export function checkSignature(entry: Entry): Verdict {
  const verdict = { check: 'signature', provider: entry.provider, file: entry.file } as const;
  const { origin, target } = splitUrl(entry.url);
  const verification = channels[entry.provider].verify(
    {
      method: 'POST',
      target,
      headers: { 'content-type': contentTypeOf(entry), [entry.header]: entry.signature },
      body: entry.body,
    },
    { signing: [entry.secret], challenge: [], publicUrl: origin, hasRouteToken: false, requiresSecret: true },
    Date.now(),
  );
  const isValid = verification.kind === 'verified';
  if (isValid === entry.expect.valid) return verdict;
  const found = isValid ? 'it was accepted' : `it was refused: ${verification.reason}`;
  return { ...verdict, failure: `${found}, and should${entry.expect.valid ? '' : ' not'} be accepted` };
}

/** Undecoded: what stands before the first slash of the path, and the rest. */
function splitUrl(url: string): { readonly origin: string; readonly target: string } {
  const [, origin = '', target = '/'] = /^(https?:\/\/[^/]+)(.*)$/s.exec(url) ?? [];
  return { origin, target };
}
