import { formatMoney } from '@switchyard/contract';
import type { Product } from './commerce.ts';

/** The price as a customer of this language reads it. Digits stay western: prices are typed back and compared. */
export function formatPrice(product: Pick<Product, 'priceMinor' | 'currency'>, language: string): string {
  return formatMoney({ amountMinor: product.priceMinor, currency: product.currency }, `${language}-u-nu-latn`);
}

/** Can it be bought now? */
export function isInStock(product: Pick<Product, 'stock'>): boolean {
  return product.stock === null || product.stock > 0;
}
