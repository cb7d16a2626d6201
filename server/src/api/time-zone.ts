import { defaultTimeZone, type WorkspaceId } from '@switchyard/contract';
import type { ApiDeps } from './deps.ts';

/** Whose days are counted where nobody names another zone. */
export async function timeZoneOf({ workspaces }: Pick<ApiDeps, 'workspaces'>, id: WorkspaceId): Promise<string> {
  return (await workspaces.find(id))?.timeZone ?? defaultTimeZone;
}
