import type { ServingAccount } from '#accounts';
import type { AccountFields, VerifySecrets } from '#channels';

export interface AccountSecrets {
  /** By its webhook token. */
  readonly byToken: VerifySecrets;
  /** By the account's name or id, which is no secret. */
  readonly byName: VerifySecrets;
}

const remembered = new WeakMap<ServingAccount, AccountSecrets>();

/** What an account's webhooks are checked with. Made once for each version of an account, not for each request. */
export function secretsOfAccount(account: ServingAccount, fields: AccountFields, publicUrl: string): AccountSecrets {
  const known = remembered.get(account);
  if (known && known.byToken.publicUrl === publicUrl) return known;
  const made = makeSecrets(account, fields, publicUrl);
  remembered.set(account, made);
  return made;
}

function makeSecrets(account: ServingAccount, fields: AccountFields, publicUrl: string): AccountSecrets {
  const checked = (use: 'signature' | 'challenge') =>
    fields.secrets.flatMap(({ name, verifies }) => {
      const value = account.secrets[name];
      return verifies === use && value ? [value] : [];
    });
  const byToken: VerifySecrets = {
    signing: checked('signature'),
    challenge: checked('challenge'),
    publicUrl,
    hasRouteToken: true,
    requiresSecret: account.settings.requiresSecret === 'true',
  };
  return { byToken, byName: { ...byToken, hasRouteToken: false } };
}

const noValues: readonly string[] = [];
const rememberedValues = new WeakMap<ServingAccount, readonly string[]>();

/** Every secret that is held of an account; none without one. */
export function heldSecrets(account: ServingAccount | null): readonly string[] {
  if (!account) return noValues;
  const known = rememberedValues.get(account);
  if (known) return known;
  const values = Object.values(account.secrets);
  rememberedValues.set(account, values);
  return values;
}

/** The operator's own: for app-level routes. */
export function operatorSecrets(
  signing: readonly string[],
  challenge: readonly string[],
  publicUrl: string,
): VerifySecrets {
  return { signing, challenge, publicUrl, hasRouteToken: false, requiresSecret: true };
}
