/** What holds for the whole simulator and may be changed while it runs (`PUT /control/settings`). */
import { type Fields, optionalFields, optionalNumber, optionalText } from './read.ts';

export interface Settings {
  /** Waits between a provider's retries are multiplied by this; 1 is real time, 0 at once. */
  retryTimeScale: number;
  /** Meta only: how many waiting updates may go in one POST. */
  batchUpTo: number;
  /** The Evolution server's own key, which may create and list instances. */
  evolutionGlobalKey: string;
  /** Which Evolution server answers on paths without `/v1` or `/v2` before them. */
  evolutionVersion: 'v1' | 'v2';
  /** Milliseconds between the codes of a QR cycle. */
  qrCycleMs: number;
}

export function defaultSettings(): Settings {
  return {
    retryTimeScale: 0.02,
    batchUpTo: 1,
    evolutionGlobalKey: 'simulator-global-key',
    evolutionVersion: 'v2',
    qrCycleMs: 20_000,
  };
}

export function changeSettings(settings: Settings, input: unknown): void {
  const fields: Fields = optionalFields(input, 'body');
  settings.retryTimeScale = optionalNumber(fields, 'retryTimeScale') ?? settings.retryTimeScale;
  settings.batchUpTo = optionalNumber(fields, 'batchUpTo') ?? settings.batchUpTo;
  settings.evolutionGlobalKey = optionalText(fields, 'evolutionGlobalKey') ?? settings.evolutionGlobalKey;
  settings.qrCycleMs = optionalNumber(fields, 'qrCycleMs') ?? settings.qrCycleMs;
  const version = optionalText(fields, 'evolutionVersion');
  if (version === 'v1' || version === 'v2') settings.evolutionVersion = version;
}
