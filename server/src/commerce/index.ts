/** The catalogue of a workspace: reads, prices, the demo shop. */
export * from './commerce.ts';
export { createCommerce } from './commerce-store.ts';
export { formatPrice, isInStock } from './price.ts';
