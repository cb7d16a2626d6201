import { parseId } from '@switchyard/contract';
import type { CommerceDoor } from '#commerce';
import { type CatalogueFacts, type Need, needKey } from '#flows';
import { assert, assertNever } from '#kernel';
import type { WorkspaceTx } from '#storage';

/** Loads what a flow asked for, and adds it to what is known. */
export async function loadNeed(
  tx: WorkspaceTx,
  commerce: CommerceDoor,
  { need, known }: { readonly need: Need; readonly known: CatalogueFacts },
): Promise<CatalogueFacts> {
  switch (need.kind) {
    case 'categories':
      return { ...known, categories: await commerce.listCategories(tx) };
    case 'productPage': {
      const categoryId = parseId('category', need.categoryId);
      assert(categoryId !== undefined, 'a flow asks for a category by its id');
      const page = await commerce.loadProductPage(tx, categoryId, need.page, need.size);
      return { ...known, productPages: { ...known.productPages, [needKey(need)]: page } };
    }
    case 'product': {
      const productId = parseId('product', need.productId);
      assert(productId !== undefined, 'a flow asks for a product by its id');
      const product = await commerce.findProduct(tx, productId);
      return { ...known, products: { ...known.products, [needKey(need)]: product } };
    }
    default:
      return assertNever(need);
  }
}
