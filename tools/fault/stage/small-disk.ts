/** A disk of its own for the run's database, small enough to be filled: a file as a loop device. Needs root. */
import { execFile } from 'node:child_process';
import { rmSync, truncateSync, writeFileSync } from 'node:fs';
import { mkdir, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

const gibibyte = 1024 ** 3;
/** The write-ahead log alone may take a third of it before it is recycled. The file is sparse: it takes what is written. */
const diskBytes = 3 * gibibyte;

export class SmallDisk {
  readonly folder: string;
  readonly #ballast: string;

  constructor(folder: string) {
    this.folder = folder;
    this.#ballast = join(folder, 'ballast');
  }

  /** Takes every free byte. */
  async fill(): Promise<void> {
    for (;;) {
      const { bavail, bsize } = await statfs(this.folder);
      if (bavail === 0) return;
      const name = `${this.#ballast}-${Date.now()}`;
      // What cannot be had in one piece is taken in the next round; the last blocks may be too few for a file.
      const isTaken = await run('fallocate', ['-l', String(bavail * bsize), name]).then(
        () => true,
        () => false,
      );
      if (!isTaken && bavail * bsize < 1024 * 1024) return;
    }
  }

  async clear(): Promise<void> {
    await run('find', [this.folder, '-maxdepth', '1', '-name', 'ballast-*', '-delete']);
  }

  async unmount(): Promise<void> {
    await run('umount', [this.folder]);
  }
}

/** null: this machine does not let us mount. */
export async function mountSmallDisk(image: string, folder: string): Promise<SmallDisk | null> {
  await mkdir(folder, { recursive: true });
  writeFileSync(image, '');
  truncateSync(image, diskBytes);
  try {
    // No blocks are kept back for root: full is full for everybody.
    await run('mkfs.ext4', ['-q', '-m', '0', image]);
    await run('mount', ['-o', 'loop', image, folder]);
    return new SmallDisk(folder);
  } catch {
    rmSync(image);
    return null;
  }
}
