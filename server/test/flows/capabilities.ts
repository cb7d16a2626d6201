import type { ShowingCapabilities } from '#flows';

/** Channels as flows see them: reply buttons and lists, quick replies only, plain text only. */
export const withLists: ShowingCapabilities = {
  sends: ['text', 'image', 'buttons', 'list', 'template'],
  maxButtons: 3,
  maxListRows: 10,
  maxButtonTitleLength: 20,
  maxTextLength: 4096,
};
export const withQuickReplies: ShowingCapabilities = {
  sends: ['text', 'image', 'buttons'],
  maxButtons: 13,
  maxListRows: 0,
  maxButtonTitleLength: 20,
  maxTextLength: 1000,
};
export const textOnly: ShowingCapabilities = {
  sends: ['text'],
  maxButtons: 0,
  maxListRows: 0,
  maxButtonTitleLength: 0,
  maxTextLength: 1600,
};
