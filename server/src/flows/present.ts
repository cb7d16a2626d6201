/**
 * How choices look on a channel: as buttons, as a list, or as numbered text where it has neither or where they do not
 * fit. What was offered goes into the state, so that a number or a title finds its choice.
 */
import type { Choice, OutboundContent } from '@switchyard/contract';
import type { Offer, ShowingCapabilities } from './flow.ts';

/** WhatsApp's limits for a list: title and description of a row, the button that opens it (providers' documents). */
const maxRowTitleLength = 24;
const maxRowDescriptionLength = 72;
const maxListButtonLength = 20;
/** Text beside buttons or a list. */
export const maxBodyLength = 1024;

export interface Presentation {
  readonly text: string;
  readonly choices: readonly Choice[];
  /** Opens the list. */
  readonly button: string;
  /** Asks for a number, below a numbered text. */
  readonly numberHint: string;
}

export function present(
  wanted: Presentation,
  capabilities: ShowingCapabilities,
): { readonly content: OutboundContent; readonly offered: readonly Offer[] } {
  const offered = wanted.choices.map(({ id, title }) => ({ id, title }));
  return { content: contentOf(wanted, capabilities), offered };
}

function contentOf(wanted: Presentation, capabilities: ShowingCapabilities): OutboundContent {
  if (wanted.choices.length === 0) return { type: 'text', text: clip(wanted.text, capabilities.maxTextLength) };
  if (fitButtons(wanted, capabilities)) {
    const { text, choices } = wanted;
    return {
      type: 'buttons',
      text: clip(text, maxBodyLength),
      buttons: choices.map(({ id, title }) => ({ id, title })),
    };
  }
  if (fitList(wanted, capabilities)) return listOf(wanted);
  return { type: 'text', text: numbered(wanted, capabilities.maxTextLength) };
}

/** Buttons show no descriptions: choices that have some are better read in a list or a text. */
function fitButtons({ choices }: Presentation, capabilities: ShowingCapabilities): boolean {
  return (
    capabilities.sends.includes('buttons') &&
    choices.length <= capabilities.maxButtons &&
    choices.every((choice) => !choice.description && lengthOf(choice.title) <= capabilities.maxButtonTitleLength)
  );
}

function fitList({ choices }: Presentation, capabilities: ShowingCapabilities): boolean {
  return capabilities.sends.includes('list') && choices.length <= capabilities.maxListRows;
}

function listOf({ text, choices, button }: Presentation): OutboundContent {
  const rows = choices.map(({ id, title, description }) => ({
    id,
    title: clip(title, maxRowTitleLength),
    ...(description ? { description: clip(description, maxRowDescriptionLength) } : {}),
  }));
  return {
    type: 'list',
    text: clip(text, maxBodyLength),
    button: clip(button, maxListButtonLength),
    sections: [{ rows }],
  };
}

/** The choices are never cut off: where it gets too long, the text above them is. */
function numbered({ text, choices, numberHint }: Presentation, maxLength: number): string {
  const lines = choices.map(
    ({ title, description }, index) => `${index + 1}. ${title}${description ? ` · ${description}` : ''}`,
  );
  const below = `\n\n${lines.join('\n')}\n\n${numberHint}`;
  return clip(clip(text, Math.max(1, maxLength - lengthOf(below))) + below, maxLength);
}

/** At most `max` characters as providers count them (code points), the last an ellipsis when something was cut. */
export function clip(text: string, max: number): string {
  const characters = Array.from(text);
  return characters.length <= max ? text : `${characters.slice(0, max - 1).join('')}…`;
}

export function lengthOf(text: string): number {
  return Array.from(text).length;
}
