/** Clock and calendar of a time zone (pure). */
export interface LocalTime {
  /** `2026-11-21` */
  readonly day: string;
  readonly minuteOfDay: number;
}

const formats = new Map<string, Intl.DateTimeFormat>();

/** UTC for a zone that this machine does not know. */
export function localTimeOf(at: Date, timeZone: string): LocalTime {
  const parts = Object.fromEntries(
    formatOf(timeZone)
      .formatToParts(at)
      .map(({ type, value }) => [type, value]),
  );
  return {
    day: `${parts.year}-${parts.month}-${parts.day}`,
    minuteOfDay: Number(parts.hour) * 60 + Number(parts.minute),
  };
}

function formatOf(timeZone: string): Intl.DateTimeFormat {
  const known = formats.get(timeZone);
  if (known) return known;
  const made = makeFormat(timeZone);
  formats.set(timeZone, made);
  return made;
}

function makeFormat(timeZone: string): Intl.DateTimeFormat {
  const numeric = { year: 'numeric', month: '2-digit', day: '2-digit', hour: '2-digit', minute: '2-digit' } as const;
  try {
    return new Intl.DateTimeFormat('en-US', { ...numeric, hourCycle: 'h23', timeZone });
  } catch {
    // Not a zone that is known here: the hours are then those of UTC, which the account's settings say.
    return new Intl.DateTimeFormat('en-US', { ...numeric, hourCycle: 'h23', timeZone: 'UTC' });
  }
}
