import type { OutboundContent } from '@switchyard/contract';
import type { Capabilities, SendOutcome } from '../channel.ts';

/**
 * Refuses, before anything leaves, what the provider would refuse: a type it does not take, a text, a number of buttons
 * or rows beyond its limits. Undefined: go ahead.
 */
export function checkContent(content: OutboundContent, capabilities: Capabilities): SendOutcome | undefined {
  if (!capabilities.sends.includes(content.type)) {
    return refusedContent('content-unsupported', `this provider takes no ${content.type}`);
  }
  const reason = reasonAgainst(content, capabilities);
  return reason === undefined ? undefined : refusedContent('content-over-limit', reason);
}

export function refusedContent(code: string, detail: string): SendOutcome {
  return { kind: 'refused', failure: { code, detail, retry: { kind: 'never' }, isCertain: true } };
}

function reasonAgainst(content: OutboundContent, limits: Capabilities): string | undefined {
  switch (content.type) {
    case 'text':
      return textReason(content.text, limits);
    case 'buttons':
      return textReason(content.text, limits) ?? countReason('button', content.buttons.length, limits.maxButtons);
    case 'list': {
      const rows = content.sections.reduce((sum, section) => sum + section.rows.length, 0);
      return textReason(content.text, limits) ?? countReason('row', rows, limits.maxListRows);
    }
    default:
      return undefined;
  }
}

function textReason(text: string, limits: Capabilities): string | undefined {
  if (text === '') return 'the text is empty';
  return text.length > limits.maxTextLength ? `the text is over ${limits.maxTextLength} characters` : undefined;
}

function countReason(name: string, count: number, most: number): string | undefined {
  if (count === 0) return `there is no ${name}`;
  return count > most ? `there are over ${most} ${name}s` : undefined;
}
