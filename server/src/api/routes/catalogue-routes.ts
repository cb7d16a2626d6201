import { categorySchema, pageOf, pageQuerySchema, productSchema, toPublicId } from '@switchyard/contract';
import { z } from 'zod';
import type { Product } from '#commerce';
import { checkCursor } from '../cursor.ts';
import type { ApiDeps } from '../deps.ts';
import { accessOf } from '../guard.ts';
import { pathId, queryId } from '../ids.ts';
import { notFound } from '../problem.ts';
import { failures, idParams, noQuery, type Routes } from '../schemas.ts';

const reading = { access: { resource: 'catalogue', action: 'read' } } as const;
const query = pageQuerySchema.extend({ category: z.string().max(100).exactOptional() });
const tags = ['catalogue'];

/** What the bot shows: what is inactive or deleted is not in it. */
export async function catalogueRoutes(routes: Routes, deps: ApiDeps): Promise<void> {
  routes.get(
    '/categories',
    {
      config: reading,
      schema: {
        tags,
        summary: "Categories, in the shop's order",
        querystring: noQuery,
        response: { 200: pageOf(categorySchema), ...failures },
      },
    },
    async (request) => {
      const categories = await deps.storage.inWorkspace(accessOf(request).workspaceId, (tx) =>
        deps.commerce.listCategories(tx),
      );
      return {
        data: categories.map((category) => ({ ...category, id: toPublicId('category', category.id) })),
        nextCursor: null,
      };
    },
  );

  routes.get(
    '/products',
    {
      config: { ...reading, isHeavy: true },
      schema: {
        tags,
        summary: "Products, in the shop's order",
        querystring: query,
        response: { 200: pageOf(productSchema), ...failures },
      },
    },
    async (request) => {
      const { category, ...wanted } = request.query;
      const categoryId = queryId('category', category);
      checkCursor(wanted.cursor, ['integer', 'uuid']);
      const page = await deps.storage.inWorkspace(accessOf(request).workspaceId, (tx) =>
        deps.commerce.listProducts(tx, { ...wanted, ...(categoryId ? { categoryId } : {}) }),
      );
      return { data: page.data.map(presentProduct), nextCursor: page.nextCursor };
    },
  );

  routes.get(
    '/products/:id',
    {
      config: reading,
      schema: { tags, summary: 'One product', params: idParams, response: { 200: productSchema, ...failures } },
    },
    async (request) => {
      const id = pathId('product', request.params.id);
      const product = await deps.storage.inWorkspace(accessOf(request).workspaceId, (tx) =>
        deps.commerce.findProduct(tx, id),
      );
      if (!product) throw notFound('product');
      return presentProduct(product);
    },
  );
}

function presentProduct(product: Product) {
  return {
    ...product,
    id: toPublicId('product', product.id),
    categoryId: toPublicId('category', product.categoryId),
  };
}
