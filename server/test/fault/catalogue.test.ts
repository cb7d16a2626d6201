/** The table of faults in docs/reliability.md: whole, and naming nothing that is not there. */
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { crashPointNames } from '#kernel';
import { runNames } from '../../../tools/fault/asked.ts';
import { blowNames, redisBlows } from '../../../tools/fault/runs/blows.ts';

const home = fileURLToPath(new URL('../../..', import.meta.url));
const rows = readFileSync(`${home}/docs/reliability.md`, 'utf8')
  .split('\n')
  .filter((line) => /^\| F\d\d \|/.test(line))
  .map((line) => line.split('|').map((cell) => cell.trim()));
const named = rows.flatMap(([, fault, , where = '']) =>
  [...where.matchAll(/`([^`]+)`/g)].map(([, name = '']) => ({ fault, name })),
);

/** From the top, by the table's own rules. */
function fileOf(name: string): string {
  if (name.startsWith('src/')) return `server/${name}`;
  return /^(companion\/src|contract)\//.test(name) ? name : `server/test/${name}`;
}

it('has a row for each, in order, and each says where', () => {
  const expected = Array.from({ length: 60 }, (_, index) => `F${String(index + 1).padStart(2, '0')}`);
  expect(rows.map(([, fault]) => fault)).toEqual(expected);
  expect(rows.filter(([, , what, where]) => !what || !where)).toEqual([]);
});

it('names files that there are', () => {
  const files = named.filter(({ name }) => name.includes('/'));
  const missing = files.filter(({ name }) =>
    ['.test.ts', '.ts'].every((ending) => !existsSync(`${home}/${fileOf(name)}${ending}`)),
  );
  expect(files.length).toBeGreaterThan(100);
  expect(missing).toEqual([]);
});

it('names runs, blows and points that there are', () => {
  const blows = [...blowNames, ...redisBlows.map((how) => `redis ${how}`), 'postgres disk-full'];
  const isKnown = (name: string) =>
    runNames.some((run) => name === run || name === `${run} --redis`) ||
    blows.some((blow) => blow === name || blow.endsWith(` ${name}`)) ||
    crashPointNames.some((point) => point === name || (name.endsWith('.*') && point.startsWith(name.slice(0, -1))));
  const words = new Set(['npm test', '__proto__']);
  const unknown = named.filter(({ name }) => !name.includes('/') && !words.has(name) && !isKnown(name));
  expect(unknown).toEqual([]);
});
