/**
 * Words by which a customer refuses our messages, or takes them up again. A message counts only when it is one of these
 * as a whole, after folding (case, accents, Arabic forms and vowel signs, punctuation at the ends): "don't stop" is no
 * refusal. Words that a customer of a shop may well mean otherwise (cancel, end, fin) are left out.
 */
import { foldText, type Language } from '#flows';

type WordsByLanguage = Readonly<Record<Language, string>>;

const stopWords: WordsByLanguage = {
  en: 'stop | stop all | stopall | unsubscribe | opt out | optout | stop messages | remove me | no more messages',
  es: `baja | dar de baja | darme de baja | dame de baja | alto | parar | no más mensajes | no quiero mensajes
    | cancelar suscripción | desuscribir | desuscribirme | eliminarme`,
  pt: `sair | pare | descadastrar | me descadastre | cancelar inscrição | cancelar assinatura | remover
    | não quero mensagens | não quero receber | parar mensagens`,
  fr: `arrêt | arrêter | arrêtez | désabonner | me désabonner | désabonnement | désinscrire | me désinscrire
    | désinscription | stop pub | plus de messages`,
  ar: `توقف | قف | أوقف | إيقاف | إلغاء | إلغاء الاشتراك | ألغِ الاشتراك | لا أريد رسائل | أوقف الرسائل
    | إيقاف الرسائل | ستوب`,
  he: 'הסר | הסרה | להסרה | הסירו | הסירו אותי | הסר אותי | עצור | עצרו | הפסק | הפסיקו | די להודעות | ביטול מנוי',
};

const startWords: WordsByLanguage = {
  en: 'start | unstop | subscribe | opt in | optin | resubscribe',
  es: 'alta | dar de alta | darme de alta | suscribir | suscribirme | reanudar | activar',
  pt: 'iniciar | inscrever | inscrever me | quero receber | reativar | cadastrar',
  fr: 'reprendre | abonner | m’abonner | réabonner | me réabonner | inscription',
  ar: 'ابدأ | اشتراك | اشترك | استئناف | تفعيل',
  he: 'התחל | הרשמה | הצטרף | הצטרפות | חידוש | הירשם',
};

export interface OptWord {
  readonly choice: 'in' | 'out';
  /** The language that alone has this word; null where several do. */
  readonly language: Language | null;
}

/** `stop` and `start` are understood everywhere, so they say nothing of the language. */
const shared = new Set(['stop', 'start']);

const words: ReadonlyMap<string, OptWord> = new Map([...entriesOf(startWords, 'in'), ...entriesOf(stopWords, 'out')]);

export function findOptWord(text: string): OptWord | undefined {
  return words.get(foldText(text));
}

function entriesOf(byLanguage: WordsByLanguage, choice: 'in' | 'out'): readonly (readonly [string, OptWord])[] {
  return Object.entries(byLanguage).flatMap(([language, list]) =>
    list.split('|').map((word) => {
      const folded = foldText(word);
      return [folded, { choice, language: shared.has(folded) ? null : (language as Language) }] as const;
    }),
  );
}
