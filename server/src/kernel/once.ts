/**
 * The work is done at the first call; later calls get the same promise, unless it failed: then the next one tries again. Also for packages of many files that most
 * processes never use (`once(() => import('nodemailer'))`): to read a file that is not needed costs as much as to read one
 * that is, and whoever was killed must be back within seconds on a busy machine.
 */
export function once<T>(work: () => Promise<T>): () => Promise<T> {
  let done: Promise<T> | undefined;
  return () => {
    done ??= work().catch((error: unknown) => {
      done = undefined;
      throw error;
    });
    return done;
  };
}
