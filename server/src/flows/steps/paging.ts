import type { Choice } from '@switchyard/contract';
import type { ShowingCapabilities } from '../flow.ts';
import { choiceId, type StepContext } from './step.ts';

/** Rows of one page besides `more` and `back`: what a list takes, and what is still readable as a text. */
export function pageSize(capabilities: ShowingCapabilities): number {
  const navigation = 2;
  const readable = 8;
  if (!capabilities.sends.includes('list')) return readable;
  return Math.max(1, Math.min(readable, capabilities.maxListRows - navigation));
}

/** The choices that close a page. */
export function navigation(ctx: StepContext, more: string | null): readonly Choice[] {
  const back = { id: choiceId(ctx.id, 'back'), title: ctx.say('list.back') };
  return more === null ? [back] : [{ id: choiceId(ctx.id, more), title: ctx.say('list.more') }, back];
}

/** A page number out of a choice's value or the state; 0 for anything else. */
export function parsePageNumber(text: string | undefined): number {
  return text !== undefined && /^\d{1,4}$/.test(text) ? Number(text) : 0;
}
