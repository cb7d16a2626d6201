import type { Binding } from '@switchyard/contract';
import type { MessageKey } from './key.ts';

/** What the provider around a message knows, and how it makes keys. */
export interface Origin {
  readonly path: string;
  readonly bindings: readonly Binding[];
  readonly keyOf: (key: MessageKey) => string;
  readonly receiptKeyOf: (messageId: string, name: string) => string;
  /** From a history import: kept, never answered. */
  readonly isHistory?: boolean;
}
