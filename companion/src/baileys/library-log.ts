/** The library logs keys and messages at its lower levels: only that something failed is passed on, never with what. */
import { type Log, wordsOf } from '../log.ts';

interface LibraryLog {
  level: string;
  child(bindings: object): LibraryLog;
  trace(facts: unknown, message?: string): void;
  debug(facts: unknown, message?: string): void;
  info(facts: unknown, message?: string): void;
  warn(facts: unknown, message?: string): void;
  error(facts: unknown, message?: string): void;
}

const silent = () => {};

export function libraryLog(log: Log): LibraryLog {
  const own: LibraryLog = {
    level: 'error',
    child: () => own,
    trace: silent,
    debug: silent,
    info: silent,
    warn: silent,
    error(facts, message) {
      const error = (facts as { readonly err?: unknown } | null)?.err;
      log.warn({ ...(error === undefined ? {} : { error: wordsOf(error) }) }, `the library: ${message ?? 'failed'}`);
    },
  };
  return own;
}
