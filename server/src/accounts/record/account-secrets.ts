import type { AccountId } from '@switchyard/contract';
import type { SealedPlace, Sealer } from '#storage';

type Secrets = Readonly<Record<string, string>>;

export function sealSecrets(sealer: Sealer, id: AccountId, secrets: Secrets): Buffer {
  return sealer.seal(JSON.stringify(secrets), secretsPlace(id));
}

export function openSecrets(sealer: Sealer, id: AccountId, sealed: Buffer | null): Secrets {
  return sealed ? (JSON.parse(sealer.openText(sealed, secretsPlace(id))) as Secrets) : {};
}

export function tokenPlace(tokenId: string): SealedPlace {
  return { table: 'webhook_tokens', column: 'token_sealed', row: tokenId };
}

function secretsPlace(id: AccountId): SealedPlace {
  return { table: 'accounts', column: 'secrets_sealed', row: id };
}
