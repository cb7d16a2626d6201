import type { Offer } from './flow.ts';
import { foldText } from './folding.ts';

/**
 * Which of the offered choices a typed text means: its number as shown (`2`, `2.`, `٢`, `2️⃣`), its title, or the
 * beginning of exactly one title. undefined when it is none of them.
 */
export function matchOffer(text: string, offered: readonly Offer[]): Offer | undefined {
  const said = foldText(text);
  if (said === '') return undefined;
  if (/^\d{1,3}$/.test(said)) return offered[Number(said) - 1];
  const titles = offered.map((offer) => ({ offer, title: foldText(offer.title) }));
  const exact = titles.find(({ title }) => title === said);
  if (exact) return exact.offer;
  if (said.length < minPrefixLength) return undefined;
  const beginning = titles.filter(({ title }) => title.startsWith(said));
  return beginning.length === 1 ? beginning[0]?.offer : undefined;
}

const minPrefixLength = 4;
