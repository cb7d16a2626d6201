/** Words in the chosen language, and numbers and times as that language writes them. */
import i18next from 'i18next';
import { computed, ref } from 'vue';
import en from './en.ts';
import { isLanguage, type Language, languages } from './languages.ts';

const storageKey = 'switchyard-language';
export const language = ref<Language>('en');
export const languageFacts = computed(() => languages[language.value]);

export async function startWords(): Promise<typeof i18next> {
  await i18next.init({
    lng: 'en',
    fallbackLng: 'en',
    resources: { en: { translation: en } },
    keySeparator: false,
    nsSeparator: false,
    // Vue writes text as text; escaping here would show the entities.
    interpolation: { escapeValue: false },
  });
  await chooseLanguage(preferredLanguage());
  return i18next;
}

export async function chooseLanguage(chosen: Language): Promise<void> {
  const { default: words } = await languages[chosen].load();
  i18next.addResourceBundle(chosen, 'translation', words);
  await i18next.changeLanguage(chosen);
  language.value = chosen;
  document.documentElement.lang = chosen;
  document.documentElement.dir = languages[chosen].dir;
  localStorage.setItem(storageKey, chosen);
}

function preferredLanguage(): Language {
  const kept = localStorage.getItem(storageKey);
  const wanted = [kept ?? '', ...navigator.languages.map((tag) => tag.split('-')[0] ?? '')];
  return wanted.find(isLanguage) ?? 'en';
}
