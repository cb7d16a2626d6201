/**
 * Dangerous acts ask a person to show again who they are. `guarded` runs an act; where the server wants proof it opens the
 * one dialog, and runs the act anew once the proof is given. A person who gives none rejects it with the server's refusal.
 */
import { ref } from 'vue';
import { tell } from './client.ts';
import { codeOf } from './problem-error.ts';

type Answer = (isProved: boolean) => void;

/** What the dialog answers; null: nobody is asked. */
export const asked = ref<Answer | null>(null);

export async function guarded<T>(act: () => Promise<T>): Promise<T> {
  try {
    return await act();
  } catch (error) {
    if (codeOf(error) !== 'step-up-needed' || !(await askForProof())) throw error;
    return act();
  }
}

/** Two acts at once wait for one answer. */
function askForProof(): Promise<boolean> {
  const earlier = asked.value;
  return new Promise((resolve) => {
    asked.value = (isProved) => {
      asked.value = null;
      earlier?.(isProved);
      resolve(isProved);
    };
  });
}

/** A code of six digits or a recovery code where there is a second factor, else the password. */
export function showProof(proof: { password: string } | { code: string }): Promise<void> {
  return tell('POST', '/session/step-up', { body: proof });
}
