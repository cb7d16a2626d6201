/** Menus as numbered text, for providers without buttons and lists. */
export { type ChoiceContent, choicesOf, numberedText } from './numbered-text.ts';
