/** The form of the send gate: between what a person sets and the account's settings, where empty means the usual. */

/** Settings of an account that this form is for; other forms leave them out. */
export const gateSettings = ['dailyQuota', 'warmUp', 'quietHours', 'numberCheck', 'timeZone'] as const;
type GateSettings = Record<(typeof gateSettings)[number], string>;

export const usual = { quota: 1_000, warmUpDays: 14, from: '21:00', until: '08:00' } as const;

export interface GateState {
  /** undefined: the usual one, which holds no answers. */
  quota: number | undefined;
  isWarming: boolean;
  warmUpDays: number | undefined;
  isQuiet: boolean;
  /** Times of the day as `21:00`. */
  from: string;
  until: string;
  checksNumbers: boolean;
  /** Empty: the workspace's. */
  timeZone: string;
}

export function gateOf(settings: Readonly<Record<string, string>>): GateState {
  const { dailyQuota, warmUp, quietHours, numberCheck, timeZone = '' } = settings;
  const [from = usual.from, until = usual.until] = quietHours?.includes('-') ? quietHours.split('-') : [];
  return {
    quota: dailyQuota ? Number(dailyQuota) : undefined,
    isWarming: warmUp !== 'off',
    warmUpDays: Number(warmUp) || usual.warmUpDays,
    isQuiet: quietHours !== 'off',
    ...{ from, until, timeZone },
    checksNumbers: numberCheck !== 'off',
  };
}

export function settingsOf(state: GateState): GateSettings {
  const hours = `${state.from}-${state.until}`;
  return {
    dailyQuota: state.quota === undefined ? '' : String(state.quota),
    warmUp: state.isWarming ? unlessUsual(String(state.warmUpDays), String(usual.warmUpDays)) : 'off',
    quietHours: state.isQuiet ? unlessUsual(hours, `${usual.from}-${usual.until}`) : 'off',
    numberCheck: state.checksNumbers ? '' : 'off',
    timeZone: state.timeZone,
  };
}

const unlessUsual = (text: string, usualText: string) => (text === usualText ? '' : text);

/** What of two forms differs, as the second has it. */
export function changedSettings(before: GateState, now: GateState): Partial<GateSettings> {
  const [was, is] = [settingsOf(before), settingsOf(now)];
  return Object.fromEntries(gateSettings.filter((name) => was[name] !== is[name]).map((name) => [name, is[name]]));
}
