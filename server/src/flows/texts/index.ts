/** What the bot says, by language, as data. `{name}` and the like are filled in; a flow may bring texts of its own. */
import { ar } from './ar.ts';
import { en } from './en.ts';
import { es } from './es.ts';
import { fr } from './fr.ts';
import { he } from './he.ts';
import { pt } from './pt.ts';

export type TextKey = keyof typeof en;
export type Texts = Readonly<Record<TextKey, string>>;

export const languages = ['en', 'es', 'pt', 'fr', 'ar', 'he'] as const;
export type Language = (typeof languages)[number];
export const defaultLanguage: Language = 'en';

export const texts: Readonly<Record<Language, Texts>> = { en, es, pt, fr, ar, he };

export type Placeholders = Readonly<Record<string, string>>;

/** A built-in text in this language, in English where the language is not ours. */
export function sayIn(language: string, key: TextKey, placeholders: Placeholders = {}): string {
  return fill(texts[parseLanguage(language) ?? defaultLanguage][key], placeholders);
}

/** `pt-BR`, `pt_PT` and `PT` are `pt`; undefined for a language without texts. */
export function parseLanguage(tag: string | null | undefined): Language | undefined {
  const base = tag?.toLowerCase().split(/[-_]/)[0];
  return languages.find((language) => language === base || (language === 'he' && base === 'iw'));
}

/** A placeholder without a value becomes nothing: customers never see braces. */
export function fill(template: string, placeholders: Placeholders): string {
  return template.replace(/\{(\w+)\}/g, (_whole, name: string) =>
    Object.hasOwn(placeholders, name) ? (placeholders[name] ?? '') : '',
  );
}
