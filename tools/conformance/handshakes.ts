/** The GET challenge through the door of an account that holds the verify token. */
import type { Entry } from './manifest.ts';
import { addAccount, type Shop } from './shop.ts';
import type { Verdict } from './verdict.ts';

export async function checkHandshakes(shop: Shop, entries: readonly Entry[]): Promise<readonly Verdict[]> {
  const verdicts: Verdict[] = [];
  for (const [index, entry] of entries.entries()) {
    const id = `80000000000000${index}`;
    const settings: Record<string, string> =
      entry.provider === 'instagram' ? { instagramId: id } : { phoneNumberId: id };
    const path = await addAccount(shop, { provider: entry.provider, settings }, entry.verifyToken);
    const answer = await fetch(`${shop.url}${path}?${entry.body.toString('utf8').trim().replace(/^\?/, '')}`);
    verdicts.push(verdictOf(entry, answer.status, await answer.text()));
  }
  return verdicts;
}

function verdictOf(entry: Entry, status: number, text: string): Verdict {
  const verdict = { check: 'handshake', provider: entry.provider, file: entry.file } as const;
  const { status: wanted, body } = entry.expect;
  const isStatus = new RegExp(`^${String(wanted ?? 200).replaceAll('x', '\\d')}$`).test(String(status));
  if (!isStatus) return { ...verdict, failure: `answered ${status}, not ${wanted}` };
  if (body !== undefined && text !== body) return { ...verdict, failure: `answered another text than the challenge` };
  const challenge = new URLSearchParams(entry.body.toString('utf8').trim()).get('hub.challenge');
  const isLeaked = status !== 200 && challenge !== null && text.includes(challenge);
  return isLeaked ? { ...verdict, failure: 'was refused, but with the challenge in the answer' } : verdict;
}
