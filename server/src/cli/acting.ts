import { toPublicId } from '@switchyard/contract';
import type { AccountActs } from '#accounts';
import { appendAudit, type Facts } from '#workspaces';
import type { CliProduct } from './deps.ts';

/** The accounts' acts as the operator's, each with its entry in the audit log, in one transaction. */
export function acting(product: CliProduct, action: string, fields: Facts = {}): AccountActs {
  return product.accounts.alongside((tx, id) =>
    appendAudit(tx, { actor: 'cli', action, resource: `account ${toPublicId('account', id)}`, fields }),
  );
}
