import { useToast } from '@nuxt/ui/composables';
import { useTranslation } from 'i18next-vue';
import { codeOf } from '../api/problem-error.ts';
import { wordsOf } from '../i18n/problem-words.ts';

/** How long the way back is offered. */
const undoMs = 15_000;

/** What an act came to, as a toast: a word of success, or why not. */
export function useTold() {
  const toast = useToast();
  const { t } = useTranslation();
  return {
    /** With the way back, where there is one. */
    tellDone: (title: string, undo?: () => void) =>
      void toast.add({
        ...{ title, color: 'success', icon: 'i-lucide-circle-check' },
        ...(undo
          ? { duration: undoMs, actions: [{ label: t('common.undo'), icon: 'i-lucide-undo-2', onClick: () => undo() }] }
          : {}),
      }),
    /** Who does not show who they are has changed their mind: nothing to tell them. */
    tellRefused: (error: unknown) => {
      if (codeOf(error) === 'step-up-needed') return;
      toast.add({ title: wordsOf(error), color: 'error', icon: 'i-lucide-circle-alert' });
    },
  };
}
