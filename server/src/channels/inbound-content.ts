import type { MessageContent } from '@switchyard/contract';

/** What can come in: menus and templates only go out. */
export type InboundContent = Exclude<MessageContent, { type: 'buttons' | 'list' | 'template' }>;
