import { useToast } from '@nuxt/ui/composables';
import { wordsOf } from '../../i18n/problem-words.ts';

/** What an act came to, as a toast: a word of success, or why not. */
export function useTold() {
  const toast = useToast();
  return {
    tellDone: (title: string) => void toast.add({ title, color: 'success' }),
    tellRefused: (error: unknown) =>
      void toast.add({ title: wordsOf(error), color: 'error', icon: 'i-lucide-circle-alert' }),
  };
}
