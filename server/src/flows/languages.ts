/**
 * Which language to answer in. What the customer has just written decides where it is telling (a greeting, a script);
 * then what we know of them; then where their number comes from.
 */
import { countryOfPhone } from '@switchyard/contract';
import { foldedWords } from './folding.ts';
import { defaultLanguage, type Language, parseLanguage } from './texts/index.ts';

/** Words that only one of our languages has, folded. Neutral ones (menu, ok, no) are left out. */
const tellingWords: Readonly<Record<Language, string>> = {
  en: 'hello hi hey good morning please thanks thank you the what want need help price',
  es: 'hola buenas buenos buen dia dias tardes noches gracias quiero quisiera necesito ayuda precio cuanto donde usted',
  pt: 'ola oi bom boa dia tarde noite obrigado obrigada quero preciso ajuda preco quanto voce voces',
  fr: 'bonjour bonsoir salut coucou merci svp voudrais veux besoin aide prix combien vous je',
  ar: 'مرحبا',
  he: 'שלום',
};

const wordSets = Object.entries(tellingWords).map(
  ([language, words]) => [language as Language, new Set(foldedWords(words))] as const,
);

const languageOfCountry: Readonly<Record<Language, string>> = {
  en: '',
  es: 'ES MX AR CO CL PE VE EC GT CU BO DO HN PY SV NI CR PA UY GQ PR',
  pt: 'BR PT AO MZ CV GW ST TL',
  fr: 'FR BE SN CI ML BF NE TG BJ GN GA CG CD CM MG MC LU HT RE GP MQ',
  ar: 'DZ MA TN EG SA AE QA KW BH OM YE JO LB SY IQ LY SD MR PS',
  he: 'IL',
};

const countries = new Map(
  Object.entries(languageOfCountry).flatMap(([language, codes]) =>
    codes
      .split(' ')
      .filter((code) => code !== '')
      .map((code) => [code, language as Language] as const),
  ),
);

/** The language of this text, if it tells; undefined for `ok`, `2`, an emoji or a tie. */
export function detectLanguage(text: string): Language | undefined {
  if (/\p{Script=Hebrew}/u.test(text)) return 'he';
  if (/\p{Script=Arabic}/u.test(text)) return 'ar';
  const words = foldedWords(text);
  const scores = wordSets
    .map(([language, set]) => ({ language, score: words.filter((word) => set.has(word)).length }))
    .sort((a, b) => b.score - a.score);
  const [best, second] = scores;
  return best && best.score > (second?.score ?? 0) ? best.language : undefined;
}

export function languageOfPhone(phone: string): Language | undefined {
  const country = countryOfPhone(phone);
  return country === undefined ? undefined : countries.get(country);
}

export interface LanguageFacts {
  /** What the customer wrote; null for a tapped choice or a picture. */
  readonly text: string | null;
  readonly contactLanguage: string | null;
  readonly phone: string | null;
}

export function chooseLanguage(facts: LanguageFacts): Language {
  return (
    (facts.text === null ? undefined : detectLanguage(facts.text)) ??
    parseLanguage(facts.contactLanguage) ??
    (facts.phone === null ? undefined : languageOfPhone(facts.phone)) ??
    defaultLanguage
  );
}
