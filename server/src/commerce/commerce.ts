/**
 * The door of commerce: the catalogue of a workspace. Every function runs in the caller's transaction, inside one
 * workspace; what is inactive or deleted is never given.
 */
import type { CategoryId, ProductId } from '@switchyard/contract';
import type { Page, PageRequest } from '#kernel';
import type { WorkspaceTx } from '#storage';

export interface Category {
  readonly id: CategoryId;
  readonly name: string;
  /** Products that can be shown. */
  readonly productCount: number;
}

export interface Product {
  readonly id: ProductId;
  readonly categoryId: CategoryId;
  readonly sku: string | null;
  readonly name: string;
  readonly description: string;
  readonly priceMinor: number;
  readonly currency: string;
  readonly imageUrl: string | null;
  /** null: not counted. */
  readonly stock: number | null;
}

/** One numbered page of a category, as a chat shows it; pages count from 0. */
export interface ProductPage {
  readonly items: readonly Product[];
  readonly page: number;
  readonly hasMore: boolean;
}

export interface CommerceDoor {
  /** In the shop's order; at most `maxCategories`. */
  listCategories(tx: WorkspaceTx): Promise<readonly Category[]>;
  /** For the API: by cursor. An unknown cursor starts at the beginning. */
  listProducts(tx: WorkspaceTx, request: PageRequest & { readonly categoryId?: CategoryId }): Promise<Page<Product>>;
  loadProductPage(tx: WorkspaceTx, categoryId: CategoryId, page: number, size: number): Promise<ProductPage>;
  findProduct(tx: WorkspaceTx, id: ProductId): Promise<Product | null>;
  /** Fills an empty catalogue with the demo shop; false when the workspace has categories already. */
  seedDemoCatalogue(tx: WorkspaceTx): Promise<boolean>;
}

export const maxCategories = 100;
