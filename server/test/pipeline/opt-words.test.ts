import { describe, expect, it } from 'vitest';
import { findOptWord } from '#pipeline';

describe('words that refuse', () => {
  it.each([
    'STOP',
    'stop',
    ' Stop! ',
    'Unsubscribe',
    'OPT-OUT',
    'opt out.',
    'ＳＴＯＰ',
    'BAJA',
    'baja',
    'Darme de baja',
    'no mas mensajes',
    '¡No más mensajes!',
    'cancelar suscripcion',
    'SAIR',
    'Pare',
    'Descadastrar',
    'Não quero receber',
    'nao quero receber',
    'cancelar inscricao',
    'ARRÊT',
    'arret',
    'Désabonner',
    'me desabonner',
    'Me désinscrire',

    'توقف',
    'تَوَقَّفْ',
    'إيقاف',
    'ايقاف',
    'أيقاف',
    'إيـــقاف',
    'إلغاء الاشتراك',
    'الغاء الإشتراك',
    'أوقف',
    'لا اريد رسائل',
    '«توقف»',
    'הסר',
    'להסרה',
    'הסירו אותי',
    'הָסֵר',
    'הפסק!',
    'עצור',
  ])('take in %s', (text) => {
    expect(findOptWord(text)?.choice).toBe('out');
  });

  it.each([
    "don't stop",
    'stop by the shop tomorrow',
    'bus stop',
    'stopped',
    'nonstop',
    'STOPP',
    'baja el precio',
    'planta baja',
    'trabaja',
    '¿cómo me doy de baja del gimnasio?',
    'quero sair mais tarde',
    'compare',
    'reparar',
    'un arrêt de bus',
    'arrêtez de pousser les prix vers le haut',
    'abonner et désabonner un ami',
    'لا تتوقف',
    'توقفت السيارة',
    'أين موقف السيارات؟',
    'المتوقف',
    'הסרט',
    'אל תסירו אותי',
    'הסרת המוצר',
    'cancel',
    'end',
    'quit',
    'fin',
    '',
    '🛑',
    '2',
  ])('are not seen in %s', (text) => {
    expect(findOptWord(text)).toBeUndefined();
  });
});

describe('words that take up again', () => {
  it.each(['START', 'Unstop', 'ALTA', 'alta', 'Iniciar', 'REPRENDRE', 'ابدأ', 'إبدأ', 'اشتراك', 'התחל', 'הצטרפות'])(
    'take in %s',
    (text) => {
      expect(findOptWord(text)?.choice).toBe('in');
    },
  );

  it.each(['when do you start', 'gama alta', 'alta calidad', 'starter'])('are not seen in %s', (text) => {
    expect(findOptWord(text)).toBeUndefined();
  });
});

it('tells the language by words that only one has', () => {
  expect(findOptWord('baja')?.language).toBe('es');
  expect(findOptWord('توقف')?.language).toBe('ar');
  expect(findOptWord('stop')?.language).toBeNull();
});
