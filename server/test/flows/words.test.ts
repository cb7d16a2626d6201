import { describe, expect, it } from 'vitest';
import {
  chooseLanguage,
  detectLanguage,
  foldText,
  languageOfPhone,
  languages,
  parseLanguage,
  sayIn,
  texts,
} from '#flows';
import { matchOffer } from '../../src/flows/match.ts';
import { fill } from '../../src/flows/texts/index.ts';

describe('foldText', () => {
  it.each([
    ['  ¡HOLA!  ', 'hola'],
    ['Menú', 'menu'],
    ['Arrêter', 'arreter'],
    ['أَوْقِفْ', 'اوقف'],
    ['إيـــقاف', 'ايقاف'],
    ['القائمة', 'القايمه'],
    ['٢', '2'],
    ['2️⃣', '2'],
    ['2.', '2'],
    ['שָׁלוֹם', 'שלום'],
    ['opt\u200b-out', 'opt out'],
    ['good   morning', 'good morning'],
    ['👍', ''],
  ])('reads %s as %s', (text, folded) => {
    expect(foldText(text)).toBe(folded);
  });

  it('looks at the beginning of a very long text only', () => {
    expect(foldText('a'.repeat(1_000_000))).toHaveLength(400);
  });
});

describe('detectLanguage', () => {
  it.each([
    ['hola', 'es'],
    ['buen dia', 'es'],
    ['Hello there', 'en'],
    ['Olá, bom dia!', 'pt'],
    ['Bonjour', 'fr'],
    ['مرحبا', 'ar'],
    ['שלום', 'he'],
    ['ok', undefined],
    ['2', undefined],
    ['menu', undefined],
    ['👍', undefined],
    ['', undefined],
  ])('takes %s for %s', (text, language) => {
    expect(detectLanguage(text)).toBe(language);
  });
});

describe('chooseLanguage', () => {
  it.each([
    ['what they write now', { text: 'hola', contactLanguage: 'fr', phone: '+212612345678' }, 'es'],
    ['what is known of them', { text: 'ok', contactLanguage: 'pt-BR', phone: '+212612345678' }, 'pt'],
    ['where their number is from', { text: 'ok', contactLanguage: null, phone: '+212612345678' }, 'ar'],
    ['where their number is from, after a tap', { text: null, contactLanguage: null, phone: '+5215512345678' }, 'es'],
    ['English else', { text: 'ok', contactLanguage: 'xx', phone: null }, 'en'],
  ])('goes by %s', (_name, facts, language) => {
    expect(chooseLanguage(facts)).toBe(language);
  });

  it('knows countries and tags', () => {
    expect(languageOfPhone('+972501234567')).toBe('he');
    expect(languageOfPhone('+819012345678')).toBeUndefined();
    expect(parseLanguage('iw')).toBe('he');
    expect(parseLanguage('de')).toBeUndefined();
  });
});

describe('texts', () => {
  const buttons = [
    'menu.browse',
    'menu.hours',
    'menu.person',
    'menu.home',
    'list.more',
    'list.back',
    'product.ask',
  ] as const;

  it.each(languages)('fits buttons and keeps placeholders in %s', (language) => {
    for (const key of buttons) expect(Array.from(texts[language][key]).length, key).toBeLessThanOrEqual(20);
    for (const key of ['menu.button', 'categories.button', 'products.button'] as const)
      expect(Array.from(texts[language][key]).length, key).toBeLessThanOrEqual(20);
    for (const [key, english] of Object.entries(texts.en)) {
      const placeholders = (text: string) => (text.match(/\{\w+\}/g) ?? []).sort();
      expect(placeholders(texts[language][key as keyof typeof texts.en]), key).toEqual(placeholders(english));
    }
  });

  it('knows no placeholder that nobody gave', () => {
    expect(fill('for {name}, {constructor}{toString}', { name: 'Ana' })).toBe('for Ana, ');
  });

  it('fills in what is known and shows no braces', () => {
    expect(sayIn('es', 'greeting', { name: ' Ana', shop: 'Norte' })).toBe(
      '¡Hola Ana! Te damos la bienvenida a Norte. 👋',
    );
    expect(sayIn('de', 'greeting', { shop: 'Nord' })).toBe('Hello! Welcome to Nord. 👋');
  });
});

describe('matchOffer', () => {
  const offered = [
    { id: 'a', title: 'Ver productos' },
    { id: 'b', title: 'Horario' },
    { id: 'c', title: 'Hablar con alguien' },
  ];
  it.each([
    ['1', 'a'],
    ['2.', 'b'],
    ['٣', 'c'],
    ['3️⃣', 'c'],
    ['HORARIO', 'b'],
    ['ver  productos!', 'a'],
    ['hablar', 'c'],
    ['0', undefined],
    ['4', undefined],
    ['h', undefined],
    ['', undefined],
    ['quiero ver productos', undefined],
  ])('finds %s', (text, id) => {
    expect(matchOffer(text, offered)?.id).toBe(id);
  });
});
