/** Crash points: inert unless asked for twice, and each of them somewhere in the product. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { parseConfig, WrongSetting } from '#config';
import { crashPoint, crashPointNames, isCrashPointArmed, parseCrashPlan } from '#kernel';

const sources = join(import.meta.dirname, '..', '..', 'src');

test('nothing is armed without the variable, and then every point is passed without effect', () => {
  expect(parseConfig({}).crashPlan).toBeNull();
  expect(isCrashPointArmed()).toBe(false);
  for (const name of crashPointNames) crashPoint(name);
});

test('the variable alone stops the start; with SWITCHYARD_FAULTS=1 it is taken', () => {
  const given = { SWITCHYARD_CRASH_POINT: 'inbox.committed:3' };
  expect(() => parseConfig(given)).toThrow(WrongSetting);
  expect(() => parseConfig({ ...given, SWITCHYARD_FAULTS: '0' })).toThrow(/only with SWITCHYARD_FAULTS=1/);
  const config = parseConfig({ ...given, SWITCHYARD_FAULTS: '1' });
  expect(config.crashPlan).toEqual({ name: 'inbox.committed', pass: 3, how: 'kill' });
  expect(() => parseConfig({ SWITCHYARD_CRASH_POINT: 'no.such-point', SWITCHYARD_FAULTS: '1' })).toThrow(WrongSetting);
});

test.for([
  ['turn.locked', { name: 'turn.locked', pass: 1, how: 'kill' }],
  ['turn.locked:stop', { name: 'turn.locked', pass: 1, how: 'stop' }],
  ['turn.locked:7', { name: 'turn.locked', pass: 7, how: 'kill' }],
  ['turn.locked:7:stop', { name: 'turn.locked', pass: 7, how: 'stop' }],
  ['turn.locked:0', undefined],
  ['turn.locked:x', undefined],
  ['turn.locked:1:2', undefined],
  ['elsewhere', undefined],
] as const)('reads %s', ([text, plan]) => {
  expect(parseCrashPlan(text)).toEqual(plan);
});

test('every name of the list stands at one place in the product, and at one only', async () => {
  const files = (await readdir(sources, { recursive: true })).filter((name) => /(?<!\.test)\.ts$/.test(name));
  const texts = await Promise.all(files.map((name) => readFile(join(sources, name), 'utf8')));
  const placed = texts.flatMap((text) => [...text.matchAll(/crashPoint\('([^']+)'\)/g)].map((match) => match[1]));
  expect(placed.toSorted()).toEqual(crashPointNames.toSorted());
});
