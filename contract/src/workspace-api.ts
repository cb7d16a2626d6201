/** Shapes of the interface about one workspace: how it is called, whose days it counts, which language it writes. */
import { z } from 'zod';
import { isTimeZone } from './time-zone.ts';

/** Those that the console and the bot speak. */
export const workspaceLanguages = ['en', 'es', 'pt', 'fr', 'ar', 'he'] as const;
export type WorkspaceLanguage = (typeof workspaceLanguages)[number];
export const defaultWorkspaceLanguage: WorkspaceLanguage = 'en';

export const workspaceNameSchema = z.string().trim().min(1).max(100);

const timeZone = z
  .string()
  .refine(isTimeZone, { error: 'is not the name of a time zone, like Europe/Madrid' })
  .meta({ description: 'IANA name', examples: ['Europe/Madrid'] });

/** Its time zone and language are set once it is there. */
export const newWorkspaceSchema = z.strictObject({ name: workspaceNameSchema }).meta({ id: 'NewWorkspace' });

export const workspaceChangeSchema = z
  .strictObject({
    name: workspaceNameSchema.exactOptional(),
    /** Whose days statistics and the calendar of a day's quota and quiet hours are. */
    timeZone: timeZone.exactOptional(),
    /** Of the mails that it sends. */
    language: z.enum(workspaceLanguages).exactOptional(),
  })
  .meta({ id: 'WorkspaceChange' });
export type WorkspaceChange = z.infer<typeof workspaceChangeSchema>;

/** What every view of a workspace says beside its name. */
export const workspaceSettings = { timeZone: z.string(), language: z.enum(workspaceLanguages) };
