/**
 * A turnstile for requests that can wait, so that webhooks need not: a few pass in one turn of the event loop, the others
 * stand in line while the loop looks at what else has come. Five hundred people who log in at once would otherwise hold
 * it for half a second.
 */
export type Turnstile = (work: () => void) => void;

export const passesInOneTurn = 2;

/** `later` runs something in the next turn of the loop, after what has come over the network: `setImmediate`. */
export function createTurnstile(later: (work: () => void) => void): Turnstile {
  const waiting: (() => void)[] = [];
  /** How many turns are asked for. Each lets one in, and asks for another while somebody waits. */
  let asked = 0;

  function turn(): void {
    asked -= 1;
    const work = waiting.shift();
    ask();
    work?.();
  }

  function ask(): void {
    while (asked < Math.min(passesInOneTurn, waiting.length)) {
      asked += 1;
      later(turn);
    }
  }

  return (work) => {
    waiting.push(work);
    ask();
  };
}
