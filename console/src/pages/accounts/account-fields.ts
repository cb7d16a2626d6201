/** The form of a new account: which fields its provider needs, as the server tells them. */
import type { Provider, ProviderView } from '@switchyard/contract';

export type AccountForm = Pick<ProviderView, 'settings' | 'secrets'>;

export const noFields: AccountForm = { settings: [], secrets: [] };

export interface FormState {
  provider: Provider;
  name: string;
  phoneNumber: string;
  isActive: boolean;
  settings: Record<string, string>;
  secrets: Record<string, string>;
}

/** Only what this provider knows and a person filled in: leftovers of another provider are not sent. */
export function filledIn(fields: AccountForm['settings'], values: Readonly<Record<string, string>>) {
  return Object.fromEntries(
    fields.flatMap(({ name }) => {
      const value = values[name]?.trim();
      return value ? [[name, value]] : [];
    }),
  );
}

/** Names of required fields that are empty, as the form calls them. */
export function missingFields(form: AccountForm, state: FormState): string[] {
  const missing = (part: 'settings' | 'secrets') =>
    form[part]
      .filter(({ name, isRequired }) => isRequired && !state[part][name]?.trim())
      .map(({ name }) => `${part}.${name}`);
  return [...missing('settings'), ...missing('secrets')];
}
