/** `route`: what it costs to find the account of a known token, in microseconds and in database statements. */
import { openProduct } from '../../server/src/compose/index.ts';
import { parseConfig } from '../../server/src/config.ts';
import { silentLog } from '../../server/src/kernel/index.ts';
import { round } from './ingest.ts';
import { makeShop } from './shop.ts';

const rounds = 1_000_000;

export async function route() {
  const shop = await makeShop();
  const product = await openProduct(parseConfig(shop.env), silentLog);
  try {
    const first = await product.accounts.route('token', shop.token);
    if (first.kind !== 'found') throw new Error('the token is not routed');
    const before = statements(product.foundation.storage.statements);
    for (let warm = 0; warm < 10_000; warm += 1) product.accounts.peekRoute('token', shop.token);
    const started = performance.now();
    let found = 0;
    for (let round = 0; round < rounds; round += 1) if (product.accounts.peekRoute('token', shop.token)) found += 1;
    const microseconds = ((performance.now() - started) / rounds) * 1_000;
    if (found !== rounds) throw new Error(`only ${found} of ${rounds} look-ups hit`);
    return {
      name: 'route',
      microseconds: round(microseconds, 3),
      statements: statements(product.foundation.storage.statements) - before,
    };
  } finally {
    await product.close();
    shop.remove();
  }
}

function statements(counts: Readonly<Record<string, number>>): number {
  return Object.values(counts).reduce((sum, count) => sum + count, 0);
}
