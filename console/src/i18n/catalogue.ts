/**
 * The shape of a catalogue: every plain key of the English one, and each counted key in every plural form that the
 * language has (CLDR), so that the compiler finds what is not translated.
 */
import type en from './en.ts';

type EnglishKey = keyof typeof en;
type BaseOf<Key> = Key extends `${infer Base}_other` ? Base : never;
type CountedKey = BaseOf<EnglishKey>;
type PlainKey = Exclude<EnglishKey, `${CountedKey}_${'one' | 'other'}`>;

export type CatalogueWith<Form extends string> = Readonly<Record<PlainKey | `${CountedKey}_${Form}`, string>>;
export type AnyCatalogue = Readonly<Record<PlainKey, string>>;
export type TextKey = PlainKey;
