import { chmod, mkdtemp, rm, stat, unlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { fixedClock } from '#kernel';
import { addKey, createKeyFileSealer, keyFileName, keyFollowMs, loadOrMakeKey } from './index.ts';

const place = { table: 'accounts', column: 'secrets_sealed', row: 'a' };
let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'switchyard-key-'));
});

afterEach(() => rm(folder, { recursive: true, force: true }));

async function openTwo() {
  const clock = fixedClock('2026-01-01T00:00:00Z');
  const text = await loadOrMakeKey(folder);
  return { clock, server: createKeyFileSealer(folder, text, clock.elapsedMs) };
}

it('opens at once what another process has sealed by a key that was just added', async () => {
  const { clock, server } = await openTwo();
  const before = server.seal('old', place);
  const rotating = createKeyFileSealer(folder, await addKey(folder), clock.elapsedMs);
  const sealed = rotating.seal('new', place);
  expect(server.openText(sealed, place)).toBe('new');
  expect(server.openText(before, place)).toBe('old');
  expect(rotating.openText(before, place)).toBe('old');
});

it('seals by an added key after a second, without having met it', async () => {
  const { clock, server } = await openTwo();
  const first = server.currentKeyId;
  await addKey(folder);
  expect(server.keyIdOf(server.seal('x', place))).toBe(first);
  clock.advanceMs(keyFollowMs);
  expect(server.keyIdOf(server.seal('x', place))).not.toBe(first);
});

it('goes on with the keys it has while the file is away', async () => {
  const { clock, server } = await openTwo();
  const sealed = server.seal('kept', place);
  await unlink(join(folder, keyFileName));
  clock.advanceMs(keyFollowMs);
  expect(server.openText(server.seal('x', place), place)).toBe('x');
  expect(server.openText(sealed, place)).toBe('kept');
});

it('keeps every key of the file, for its owner only', async () => {
  await loadOrMakeKey(folder);
  await addKey(folder);
  const text = await addKey(folder);
  expect(text.split(',')).toHaveLength(3);
  expect(await loadOrMakeKey(folder)).toBe(text);
  expect((await stat(join(folder, keyFileName))).mode & 0o777).toBe(0o600);
  await chmod(join(folder, keyFileName), 0o640);
  await expect(addKey(folder)).rejects.toThrow('open to others');
});
