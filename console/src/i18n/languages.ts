/** The languages of the console. A new one is a catalogue and a line here. */
import { ar, en, es, fr, he, pt } from '@nuxt/ui/locale';
import type { AnyCatalogue } from './catalogue.ts';

export const languages = {
  en: { name: 'English', dir: 'ltr', intl: 'en', parts: en, load: () => import('./en.ts') },
  es: { name: 'Español', dir: 'ltr', intl: 'es', parts: es, load: () => import('./es.ts') },
  pt: { name: 'Português', dir: 'ltr', intl: 'pt', parts: pt, load: () => import('./pt.ts') },
  fr: { name: 'Français', dir: 'ltr', intl: 'fr', parts: fr, load: () => import('./fr.ts') },
  // Western digits: phone numbers and ids beside them have these.
  ar: { name: 'العربية', dir: 'rtl', intl: 'ar-u-nu-latn', parts: ar, load: () => import('./ar.ts') },
  he: { name: 'עברית', dir: 'rtl', intl: 'he', parts: he, load: () => import('./he.ts') },
} as const satisfies Record<
  string,
  {
    readonly name: string;
    readonly dir: 'ltr' | 'rtl';
    readonly intl: string;
    readonly parts: object;
    readonly load: () => Promise<{ default: AnyCatalogue }>;
  }
>;

export type Language = keyof typeof languages;

export function isLanguage(text: string): text is Language {
  return Object.hasOwn(languages, text);
}
