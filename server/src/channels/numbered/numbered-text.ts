/**
 * Choices for providers that have no tappable ones: the text, then each choice with its number. Numbers run from 1
 * through all sections, in the order given, so the answer `2` means the second choice of `choicesOf`.
 */
import type { Choice, OutboundContent } from '@switchyard/contract';

export type ChoiceContent = Extract<OutboundContent, { type: 'buttons' | 'list' }>;

export function choicesOf(content: ChoiceContent): readonly Choice[] {
  return content.type === 'buttons' ? content.buttons : content.sections.flatMap(({ rows }) => rows);
}

export function numberedText(content: ChoiceContent): string {
  const footer = content.footer ? [content.footer] : [];
  return [content.text, ...choiceBlocks(content), ...footer].join('\n\n');
}

function choiceBlocks(content: ChoiceContent): readonly string[] {
  if (content.type === 'buttons') return [numberedLines(content.buttons, 1)];
  let next = 1;
  return content.sections.map(({ title, rows }) => {
    const lines = numberedLines(rows, next);
    next += rows.length;
    return title ? `${title}\n${lines}` : lines;
  });
}

function numberedLines(choices: readonly Choice[], first: number): string {
  return choices
    .map(({ title, description }, at) => `${first + at}. ${title}${description ? ` – ${description}` : ''}`)
    .join('\n');
}
