import { type OutboundContent, summarise } from '@switchyard/contract';
import type { ConsentChoice } from '#conversations';
import { type Language, sayIn } from '#flows';
import { answer, type Middleware, stop, type TurnContext } from '../context.ts';
import { findOptWord } from '../opt-words.ts';
import { wordsOf } from '../said.ts';

/**
 * STOP and START in six languages. A refusal counts at once, whoever has the conversation, and is confirmed once; said
 * again it gets no answer. START from somebody who has refused nothing is an ordinary word.
 */
export const optOut: Middleware = {
  name: 'opt-out',
  async handle(ctx, next) {
    const words = wordsOf(ctx.input.stored.event.content);
    const found = words === null ? undefined : findOptWord(words);
    const standing = ctx.input.conversation.consent;
    if (found === undefined || (found.choice === 'in' && standing !== 'out')) return next(ctx);
    if (found.choice === standing) return stop(ctx, 'opted-out-already');
    return confirm(withConsent(ctx, found.choice), found.choice, found.language ?? ctx.language);
  },
};

function confirm(ctx: TurnContext, choice: ConsentChoice, language: Language): TurnContext {
  const key = choice === 'out' ? 'optOut.confirmed' : 'optIn.confirmed';
  const reply: OutboundContent = { type: 'text', text: sayIn(language, key) };
  return answer(ctx, choice === 'out' ? 'opted-out' : 'opted-in', [reply]);
}

function withConsent(ctx: TurnContext, choice: ConsentChoice): TurnContext {
  const { account, conversation, now, stored } = ctx.input;
  const consent = {
    contactId: conversation.contactId,
    channel: account.channel,
    topic: 'all',
    choice,
    source: 'message',
    evidence: summarise(stored.event.content),
    at: now,
  };
  return { ...ctx, consents: [...ctx.consents, consent] };
}
