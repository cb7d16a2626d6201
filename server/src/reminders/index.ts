/** Schedules of reminders; they expand to outbox rows in slices. */
export type { ReminderState } from './reminder.ts';
