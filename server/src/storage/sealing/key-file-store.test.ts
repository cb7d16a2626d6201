import { chmod, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { KeyFileUnsafe, keyFileName, loadOrMakeKey } from './key-file-store.ts';
import { parseKeyring } from './keyring.ts';

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'switchyard-key-'));
});
afterEach(() => rm(folder, { recursive: true }));

describe('the key file', () => {
  it('is made once, for its owner only, and then found again', async () => {
    const data = join(folder, 'data');
    const made = await loadOrMakeKey(data);
    expect(parseKeyring(made).masterKeys.size).toBe(1);
    expect((await stat(join(data, keyFileName))).mode & 0o777).toBe(0o600);
    expect(await loadOrMakeKey(data)).toBe(made);
    expect(await readdir(data)).toEqual([keyFileName]);
  });

  it('is one for all processes that start at once', async () => {
    const keys = await Promise.all(Array.from({ length: 20 }, () => loadOrMakeKey(folder)));
    expect(new Set(keys).size).toBe(1);
    expect(await readdir(folder)).toEqual([keyFileName]);
    expect((await readFile(join(folder, keyFileName), 'utf8')).trim()).toBe(keys[0]);
  });

  it('is refused in one line when others may read it', async () => {
    const key = await loadOrMakeKey(folder);
    const path = join(folder, keyFileName);
    await chmod(path, 0o640);
    const refusal = await loadOrMakeKey(folder).catch((error: unknown) => error);
    expect(refusal).toBeInstanceOf(KeyFileUnsafe);
    expect(String(refusal)).toContain(`chmod 600 ${path}`);
    expect(String(refusal)).not.toContain('\n');
    expect(String(refusal)).not.toContain(key);
  });

  it('is never replaced, whatever it holds', async () => {
    await writeFile(join(folder, keyFileName), 'spoilt', { mode: 0o600 });
    expect(await loadOrMakeKey(folder)).toBe('spoilt');
  });
});
