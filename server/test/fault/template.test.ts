/** The folder a stage is copied from: made, or ours, or refused before anything is begun. */
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { WrongUse } from '../../../tools/fault/asked.ts';
import { copyFrom, keepIn, openTemplate } from '../../../tools/fault/stage/template.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'switchyard-template-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

it('keeps one stage, and gives each run a copy of it', async () => {
  const [stage, place, copy] = ['stage', 'place', 'copy'].map((name) => join(folder, name)) as [string, string, string];
  for (const one of [stage, copy]) mkdirSync(one);
  writeFileSync(join(stage, 'base'), 'rows');
  const template = await openTemplate(place);
  if (!template) throw new Error('a folder was named');
  expect(await copyFrom(template, copy)).toBeNull();
  await keepIn(template, stage, []);
  await keepIn(template, stage, []);
  expect(readdirSync(place)).toEqual(['data']);
  expect(await openTemplate(place)).toEqual(template);
  expect(await copyFrom(template, copy)).toEqual([]);
  expect(readdirSync(copy)).toContain('base');
});

it('refuses a folder with anything else in it, and leaves that as it is', async () => {
  const full = join(folder, 'full');
  mkdirSync(join(full, 'data'), { recursive: true });
  await expect(openTemplate(full)).rejects.toThrow(WrongUse);
  rmSync(join(full, 'data'), { recursive: true });
  writeFileSync(join(full, 'letter'), '');
  await expect(openTemplate(full)).rejects.toThrow(`--template ${full} holds something else; name an empty folder`);
  await expect(openTemplate(join(full, 'letter'))).rejects.toThrow(WrongUse);
  expect(readdirSync(full)).toEqual(['letter']);
});
