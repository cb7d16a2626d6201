import type { CategoryId } from '@switchyard/contract';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createCommerce, formatPrice } from '#commerce';
import { newId } from '#kernel';
import { openShopWorld, type ShopWorld } from '../support/shop-world.ts';

const commerce = createCommerce();
let world: ShopWorld;

beforeAll(async () => {
  world = await openShopWorld();
  await world.run((tx) => commerce.seedDemoCatalogue(tx));
});
afterAll(() => world.close());

describe('the demo catalogue', () => {
  it('is made once', async () => {
    expect(await world.run((tx) => commerce.seedDemoCatalogue(tx))).toBe(false);
    const categories = await world.run((tx) => commerce.listCategories(tx));
    expect(categories.map((category) => category.productCount)).toEqual([4, 3, 3, 3]);
  });

  it('fits the rows of a list', async () => {
    const { data } = await world.run((tx) => commerce.listProducts(tx, { limit: 100 }));
    expect(data).toHaveLength(13);
    for (const product of data) expect(Array.from(product.name).length, product.name).toBeLessThanOrEqual(24);
  });
});

describe('reading the catalogue', () => {
  it('gives products by cursor, each once and in order', async () => {
    const seen: string[] = [];
    let cursor: string | undefined;
    do {
      const page = await world.run((tx) =>
        commerce.listProducts(tx, cursor === undefined ? { limit: 4 } : { limit: 4, cursor }),
      );
      seen.push(...page.data.map((product) => product.sku ?? ''));
      cursor = page.nextCursor ?? undefined;
    } while (cursor !== undefined);
    expect(seen).toHaveLength(13);
    expect(new Set(seen).size).toBe(13);
    expect(seen[0]).toBe('CAF-HUI-250');
  });

  it('gives a category page by page', async () => {
    const [coffee] = await world.run((tx) => commerce.listCategories(tx));
    const page = (number: number) => world.run((tx) => commerce.loadProductPage(tx, coffee!.id, number, 3));
    expect(await page(0)).toMatchObject({ items: { length: 3 }, hasMore: true });
    expect(await page(1)).toMatchObject({
      items: [{ sku: 'CAF-DEC-250', stock: 0, priceMinor: 1320 }],
      hasMore: false,
    });
    expect(await page(2)).toMatchObject({ items: [], hasMore: false });
  });

  it('hides what is inactive or deleted, its products too', async () => {
    const id = newId('category') as CategoryId;
    const [product] = [newId('product')];
    await world.db.ownerQuery('INSERT INTO categories (workspace_id, id, name) VALUES ($1, $2, $3)', [
      world.workspaceId,
      id,
      'Old',
    ]);
    await world.db.ownerQuery(
      `INSERT INTO products (workspace_id, id, category_id, name, price_minor, currency) VALUES ($1, $2, $3, 'Thing', 1, 'EUR')`,
      [world.workspaceId, product, id],
    );
    const find = () => world.run((tx) => commerce.findProduct(tx, product!));
    expect(await find()).toMatchObject({ name: 'Thing' });
    await world.db.ownerQuery('UPDATE categories SET deleted_at = now() WHERE id = $1', [id]);
    expect(await find()).toBeNull();
    expect((await world.run((tx) => commerce.listCategories(tx))).map((one) => one.name)).not.toContain('Old');
  });
});

describe('formatPrice', () => {
  it.each([
    [1250, 'EUR', 'es', '12,50\u00a0€'],
    [1250, 'EUR', 'en', '€12.50'],
    [1250, 'JPY', 'en', '¥1,250'],
    [1250, 'TND', 'fr', '1,250\u00a0TND'],
  ])('writes %i %s in %s', (priceMinor, currency, language, expected) => {
    expect(formatPrice({ priceMinor, currency }, language)).toBe(expected);
  });

  it('keeps western digits in Arabic', () => {
    expect(formatPrice({ priceMinor: 1250, currency: 'EUR' }, 'ar')).toMatch(/12[.,]50/);
  });
});
