/** What a schema holds: each thing's name (such as `column messages.text`) with its definition as text. */
export type Catalogue = Readonly<Record<string, string>>;

export interface CatalogueDifference {
  /** Such as `index messages_provider_id`. */
  readonly thing: string;
  readonly kind: 'missing' | 'extra' | 'different';
  readonly expected?: string;
  readonly found?: string;
}

/** Each thing that one has and the other lacks or defines otherwise, in order of name. */
export function compareCatalogues(expected: Catalogue, found: Catalogue): CatalogueDifference[] {
  const things = [...new Set([...Object.keys(expected), ...Object.keys(found)])].sort();
  return things.flatMap((thing): CatalogueDifference[] => {
    const [before, now] = [expected[thing], found[thing]];
    if (before === now) return [];
    if (now === undefined) return [{ thing, kind: 'missing', expected: before ?? '' }];
    if (before === undefined) return [{ thing, kind: 'extra', found: now }];
    return [{ thing, kind: 'different', expected: before, found: now }];
  });
}
