import type { CategoryId, ProductId } from '@switchyard/contract';
import { clampLimit, newId, pageOf, parseCursor } from '#kernel';
import type { Row, WorkspaceTx } from '#storage';
import { type Category, type CommerceDoor, maxCategories, type Product, type ProductPage } from './commerce.ts';
import { demoCatalogue, demoCurrency } from './demo-catalogue.ts';

interface ProductRow extends Row {
  id: ProductId;
  categoryId: CategoryId;
  sku: string | null;
  name: string;
  description: string;
  priceMinor: string;
  currency: string;
  imageUrl: string | null;
  stock: number | null;
  sortOrder: number;
}

const productColumns = `p.id, p.category_id AS "categoryId", p.sku, p.name, p.description,
  p.price_minor AS "priceMinor", p.currency, p.image_url AS "imageUrl", p.stock, p.sort_order AS "sortOrder"`;
const isShown = `p.is_active AND p.deleted_at IS NULL
  AND EXISTS (SELECT FROM categories c WHERE c.workspace_id = p.workspace_id AND c.id = p.category_id
    AND c.is_active AND c.deleted_at IS NULL)`;

export function createCommerce(): CommerceDoor {
  return { listCategories, listProducts, loadProductPage, findProduct, seedDemoCatalogue };
}

async function listCategories(tx: WorkspaceTx): Promise<readonly Category[]> {
  return tx.query<Row & Category>(
    `SELECT c.id, c.name, (SELECT count(*)::int FROM products p
       WHERE p.workspace_id = c.workspace_id AND p.category_id = c.id AND p.is_active AND p.deleted_at IS NULL)
       AS "productCount"
     FROM categories c
     WHERE c.workspace_id = $1 AND c.is_active AND c.deleted_at IS NULL
     ORDER BY c.sort_order, c.id LIMIT ${maxCategories}`,
    [tx.workspaceId],
    'commerce_list_categories',
  );
}

const listProducts: CommerceDoor['listProducts'] = async (tx, request) => {
  const limit = clampLimit(request.limit);
  const after = request.cursor === undefined ? undefined : parseCursor(request.cursor, 2);
  const rows = await tx.query<ProductRow>(
    `SELECT ${productColumns} FROM products p
     WHERE p.workspace_id = $1 AND ${isShown}
       AND ($2::uuid IS NULL OR p.category_id = $2)
       AND ($3::int IS NULL OR (p.sort_order, p.id) > ($3::int, $4::uuid))
     ORDER BY p.sort_order, p.id LIMIT $5`,
    [tx.workspaceId, request.categoryId ?? null, after?.[0] ?? null, after?.[1] ?? null, limit + 1],
    'commerce_list_products',
  );
  return pageOf(rows, limit, { item: toProduct, key: (row) => [row.sortOrder, row.id] });
};

async function loadProductPage(
  tx: WorkspaceTx,
  categoryId: CategoryId,
  page: number,
  size: number,
): Promise<ProductPage> {
  const limit = clampLimit(size);
  const rows = await tx.query<ProductRow>(
    `SELECT ${productColumns} FROM products p
     WHERE p.workspace_id = $1 AND p.category_id = $2 AND ${isShown}
     ORDER BY p.sort_order, p.id LIMIT $3 OFFSET $4`,
    [tx.workspaceId, categoryId, limit + 1, Math.max(0, Math.trunc(page)) * limit],
    'commerce_product_page',
  );
  return { items: rows.slice(0, limit).map(toProduct), page, hasMore: rows.length > limit };
}

async function findProduct(tx: WorkspaceTx, id: ProductId): Promise<Product | null> {
  const [row] = await tx.query<ProductRow>(
    `SELECT ${productColumns} FROM products p WHERE p.workspace_id = $1 AND p.id = $2 AND ${isShown}`,
    [tx.workspaceId, id],
    'commerce_find_product',
  );
  return row ? toProduct(row) : null;
}

async function seedDemoCatalogue(tx: WorkspaceTx): Promise<boolean> {
  const held = await tx.query('SELECT 1 FROM categories WHERE workspace_id = $1 LIMIT 1', [tx.workspaceId]);
  if (held.length > 0) return false;
  const categories = demoCatalogue.map((category, order) => ({ ...category, id: newId('category'), order }));
  await insertCategories(tx, categories);
  await insertProducts(
    tx,
    categories.flatMap(({ id, products }) => products.map((product) => ({ ...product, categoryId: id }))),
  );
  return true;
}

async function insertCategories(
  tx: WorkspaceTx,
  categories: readonly { readonly id: CategoryId; readonly name: string; readonly order: number }[],
): Promise<void> {
  await tx.query(
    `INSERT INTO categories (workspace_id, id, name, sort_order)
     SELECT $1, * FROM unnest($2::uuid[], $3::text[], $4::int[])`,
    [tx.workspaceId, categories.map((c) => c.id), categories.map((c) => c.name), categories.map((c) => c.order)],
  );
}

type NewProduct = (typeof demoCatalogue)[number]['products'][number] & { readonly categoryId: CategoryId };

async function insertProducts(tx: WorkspaceTx, products: readonly NewProduct[]): Promise<void> {
  await tx.query(
    `INSERT INTO products (workspace_id, id, category_id, sku, name, description, price_minor, currency, stock, sort_order)
     SELECT $1, p.id, p.category_id, p.sku, p.name, p.description, p.price_minor, $2, p.stock, p.sort_order
     FROM unnest($3::uuid[], $4::uuid[], $5::text[], $6::text[], $7::text[], $8::bigint[], $9::int[], $10::int[])
       AS p (id, category_id, sku, name, description, price_minor, stock, sort_order)`,
    [
      tx.workspaceId,
      demoCurrency,
      products.map(() => newId('product')),
      products.map((product) => product.categoryId),
      products.map((product) => product.sku),
      products.map((product) => product.name),
      products.map((product) => product.description),
      products.map((product) => product.priceMinor),
      products.map((product) => product.stock),
      products.map((_product, order) => order),
    ],
  );
}

/** `price_minor` is a bigint and comes as text; amounts above 2^53 are refused where they are written. */
function toProduct({ sortOrder: _sortOrder, priceMinor, ...row }: ProductRow): Product {
  return { ...row, priceMinor: Number(priceMinor) };
}
