/** The work did not end in its time; whatever it still does must find its transaction closed. */
export class TookTooLong extends Error {
  override readonly name = 'TookTooLong';
}

export async function within<T>(limitMs: number, work: () => Promise<T>): Promise<T> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => late.reject(new TookTooLong(`it took longer than ${limitMs} ms`)), limitMs);
  try {
    return await Promise.race([work(), late.promise]);
  } finally {
    clearTimeout(timer);
  }
}
