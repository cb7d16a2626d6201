import type { Binding } from '@switchyard/contract';
import type { MessageKey } from './key.ts';

/** What the provider around a message knows, and how it makes keys. */
export interface Origin {
  readonly path: string;
  readonly bindings: readonly Binding[];
  readonly keyOf: (key: MessageKey) => string;
  readonly receiptKeyOf: (messageId: string, name: string) => string;
  /** Our attempt, where the id of an own message tells it. */
  readonly attemptOf?: (messageId: string) => string | undefined;
  /** From a history import: kept, never answered. */
  readonly isHistory?: boolean;
}
