/** One JSON line an event, on stderr. No secret, no session state and no message's text goes into it. */
export interface Log {
  info(facts: object, message: string): void;
  warn(facts: object, message: string): void;
  error(facts: object, message: string): void;
}

export function createLog(write: (line: string) => void): Log {
  const say = (level: string) => (facts: object, message: string) =>
    write(JSON.stringify({ level, time: new Date().toISOString(), message, ...facts }));
  return { info: say('info'), warn: say('warn'), error: say('error') };
}

export const silentLog: Log = { info: () => {}, warn: () => {}, error: () => {} };

export function wordsOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
