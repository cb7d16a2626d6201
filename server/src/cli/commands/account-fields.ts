import { WrongUse } from '../failures.ts';

/** For an option that may be repeated. */
export function collect(value: string, before: readonly string[]): readonly string[] {
  return [...before, value];
}

/** `name=value` each. Throws WrongUse for what is none. */
export function pairs(texts: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    texts.map((text) => {
      const at = text.indexOf('=');
      if (at <= 0) throw new WrongUse(`"${text.slice(0, 20)}" is not name=value`);
      return [text.slice(0, at), text.slice(at + 1)];
    }),
  );
}
