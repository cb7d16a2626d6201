/**
 * Settings of the send gate, for accounts that run on an unofficial client of WhatsApp: what keeps such a number from
 * being barred. The gate itself is the outbox's.
 */
import type { SettingField } from './channel.ts';

export const gateFields: readonly SettingField[] = [
  {
    name: 'dailyQuota',
    label: 'Messages a day',
    isRequired: false,
    accepts: /^\d{1,6}$/,
    hint: 'messages a day; 1000 if empty',
  },
  {
    name: 'warmUp',
    label: 'Days of warm-up',
    isRequired: false,
    accepts: /^(off|[1-9]\d{0,2})$/,
    hint: 'days in which a new account grows to its quota, or off; 14 if empty',
  },
  {
    name: 'quietHours',
    label: 'Quiet hours',
    isRequired: false,
    accepts: /^(off|([01]\d|2[0-3]):[0-5]\d-([01]\d|2[0-3]):[0-5]\d)$/,
    hint: 'when nothing is begun, 21:00-08:00 if empty, or off',
  },
  {
    name: 'numberCheck',
    label: 'Look numbers up',
    isRequired: false,
    accepts: /^(on|off)$/,
    hint: 'on or off: ask whether a new number is on WhatsApp; on if empty',
  },
  {
    name: 'timeZone',
    label: 'Time zone',
    isRequired: false,
    isTimeZone: true,
    hint: 'Europe/Madrid; the workspace’s if empty, else UTC',
  },
];
