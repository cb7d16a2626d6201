import type { CategoryId, ProductId } from '@switchyard/contract';
import type { Product } from '#commerce';
import type { CatalogueFacts, Need } from '#flows';

const coffee = '018f0000-0000-7000-8000-0000000000c1' as CategoryId;
const tea = '018f0000-0000-7000-8000-0000000000c2' as CategoryId;
const mint = '018f0000-0000-7000-8000-0000000000d9' as ProductId;

const products: readonly Product[] = [
  ...Array.from({ length: 9 }, (_, i) =>
    product(`018f0000-0000-7000-8000-0000000000b${i}` as ProductId, coffee, `Bean ${i}`),
  ),
  { ...product(mint, tea, 'Mint'), priceMinor: 500 },
];

/** A catalogue in memory: nine coffees, the last of them sold out, and one tea. */
export const shop = {
  coffee,
  tea,
  mint,
  answer(need: Need, key: string, known: CatalogueFacts): CatalogueFacts {
    switch (need.kind) {
      case 'categories':
        return {
          categories: [
            { id: coffee, name: 'Coffee', productCount: 9 },
            { id: tea, name: 'Tea', productCount: 1 },
          ],
        };
      case 'productPage': {
        const all = products.filter((one) => one.categoryId === need.categoryId);
        const items = all.slice(need.page * need.size, (need.page + 1) * need.size);
        const hasMore = all.length > (need.page + 1) * need.size;
        return { productPages: { ...known.productPages, [key]: { items, page: need.page, hasMore } } };
      }
      case 'product': {
        const found = products.find((one) => one.id === need.productId) ?? null;
        return { products: { ...known.products, [key]: found } };
      }
    }
  },
};

function product(id: ProductId, categoryId: CategoryId, name: string): Product {
  return {
    id,
    categoryId,
    sku: null,
    name,
    description: `All about ${name}.`,
    priceMinor: 1000,
    currency: 'EUR',
    imageUrl: null,
    stock: name === 'Bean 8' ? 0 : null,
  };
}
