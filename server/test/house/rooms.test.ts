/** The order of the rooms and their doors (ARCHITECTURE.md), read off the source itself. */
import { readdirSync, readFileSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import { describe, expect, it } from 'vitest';

const source = join(import.meta.dirname, '..', '..', 'src');
const home = join(source, '..', '..');

/** From the bottom up; a room may import those before it. `reminders` and `campaigns`, `api` and `cli` share a step. */
const order = [
  ['kernel'],
  ['storage'],
  ['channels'],
  ['workspaces'],
  ['accounts'],
  ['conversations'],
  ['outbox'],
  ['commerce'],
  ['flows'],
  ['pipeline'],
  ['inbox'],
  ['privacy'],
  ['gateway'],
  ['reminders', 'campaigns'],
  ['migration'],
  ['monitoring'],
  ['api', 'cli'],
  ['compose'],
] as const;

const step = new Map<string, number>(order.flatMap((rooms, index) => rooms.map((room) => [room, index] as const)));

/** Stricter than the order: what these rooms may import at all. */
const only: Readonly<Record<string, readonly string[]>> = { storage: ['kernel'], channels: ['kernel'] };

interface Import {
  readonly file: string;
  readonly room: string;
  readonly target: string;
}

function sources(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
    .map((entry) => join(entry.parentPath, entry.name));
}

function importsOf(file: string): string[] {
  const text = readFileSync(file, 'utf8');
  return [...text.matchAll(/(?:from|import)\s*\(?\s*'([^']+)'/g)].flatMap((match) => match[1] ?? []);
}

const files = sources(source);
const imports: Import[] = files.flatMap((file) => {
  const room = relative(source, file).split(sep)[0] ?? '';
  return importsOf(file).map((target) => ({ file: relative(source, file), room, target }));
});

describe('the house', () => {
  it('was looked at', () => {
    expect(files.length).toBeGreaterThan(30);
    expect(imports.length).toBeGreaterThan(50);
  });

  it('has no room that is not in the plan', () => {
    const rooms = readdirSync(source, { withFileTypes: true }).filter((entry) => entry.isDirectory());
    expect(rooms.map((entry) => entry.name).filter((room) => !step.has(room))).toEqual([]);
  });

  it('lets a room import only rooms before it', () => {
    const wrong = imports.filter(({ room, target, file }) => {
      if (!target.startsWith('#') || target === '#config' || !step.has(room)) return false;
      if (file.endsWith('.test.ts')) return false;
      const theirs = step.get(target.slice(1));
      return theirs === undefined || theirs >= (step.get(room) ?? -1);
    });
    expect(wrong).toEqual([]);
  });

  it('keeps storage and channels to the kernel', () => {
    const wrong = imports.filter(
      ({ room, target, file }) =>
        target.startsWith('#') && !file.endsWith('.test.ts') && only[room] && !only[room].includes(target.slice(1)),
    );
    expect(wrong).toEqual([]);
  });

  it('lets nobody climb through a window: relative imports stay in their room', () => {
    const wrong = imports.filter(({ file, room, target }) => {
      if (!target.startsWith('.') || !step.has(room) || file.endsWith('.test.ts')) return false;
      const reached = relative(source, join(source, file, '..', target)).split(sep)[0];
      return reached !== room;
    });
    expect(wrong).toEqual([]);
  });

  it('reads the environment and ends the process in one place each', () => {
    const readers = files
      .filter((file) => /process\.env/.test(readFileSync(file, 'utf8')))
      .map((file) => relative(source, file));
    expect(readers.filter((file) => file !== 'main.ts' && !file.endsWith('.test.ts'))).toEqual([]);
    const enders = files
      .filter((file) => /process\.exit\(/.test(readFileSync(file, 'utf8')))
      .map((file) => relative(source, file));
    expect(enders.filter((file) => file !== 'main.ts' && !file.endsWith('.test.ts'))).toEqual([]);
  });

  it('keeps the simulator and the browser out of the server', () => {
    const outside = ['simulator/src', 'console/src', 'contract/src'].flatMap((folder) => sources(join(home, folder)));
    const wrong = outside.filter((file) =>
      importsOf(file).some((target) => target.includes('server/') || target.startsWith('@switchyard/server')),
    );
    expect(wrong).toEqual([]);
  });
});
