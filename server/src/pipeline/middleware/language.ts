import type { Conversation } from '#conversations';
import { chooseLanguage, detectLanguage } from '#flows';
import { changing, type Middleware } from '../context.ts';
import { wordsOf } from '../said.ts';

/** Chooses the language of this turn, and remembers it for the contact when the message itself told it. */
export const language: Middleware = {
  name: 'language',
  async handle(ctx, next) {
    const { conversation, stored } = ctx.input;
    const text = wordsOf(stored.event.content);
    const chosen = chooseLanguage({ text, contactLanguage: conversation.language, phone: phoneOf(conversation) });
    const isTold = text !== null && detectLanguage(text) === chosen && conversation.language !== chosen;
    const spoken = { ...ctx, language: chosen };
    return next(isTold ? changing(spoken, { language: chosen }) : spoken, chosen);
  },
};

function phoneOf(conversation: Conversation): string | null {
  const known = conversation.address.find(({ kind }) => kind === 'phone' || kind === 'wa_id');
  return known ? `+${known.value.replace(/^\+/, '')}` : null;
}
