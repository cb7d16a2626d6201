/** Contents of Twilio's Content API: texts, quick replies and list pickers that a send names by `ContentSid`. */
import { BoundedMap } from '../world/bounded-map.ts';
import { type Fields, isFields, wordsOf } from '../world/read.ts';
import type { ScreenChoice, ScreenContent } from '../world/screen.ts';

const CONTENT_LIMIT = 1_000;

export class TwilioContents {
  readonly #contents = new BoundedMap<string, Fields>(CONTENT_LIMIT);

  put(sid: string, content: Fields): void {
    this.#contents.set(sid, content);
  }

  get(sid: string): Fields | undefined {
    return this.#contents.get(sid);
  }

  delete(sid: string): boolean {
    return this.#contents.delete(sid);
  }
}

/** What the phone shows of a content with its variables filled in. */
export function contentScreen(content: Fields | undefined, sid: string, variables: Fields): ScreenContent {
  const types = content && isFields(content.types) ? content.types : {};
  const fill = (text: unknown) => fillIn(wordsOf(text), variables);
  const quick = types['twilio/quick-reply'];
  if (isFields(quick))
    return { type: 'buttons', text: fill(quick.body), buttons: choicesOf(quick.actions, 'title', fill) };
  const picker = types['twilio/list-picker'];
  if (isFields(picker)) {
    const rows = choicesOf(picker.items, 'item', fill);
    return {
      type: 'list',
      text: fill(picker.body),
      list: { button: fill(picker.button), sections: [{ title: '', rows }] },
    };
  }
  const plain = Object.values(types).find((type) => isFields(type) && typeof type.body === 'string');
  if (isFields(plain)) return { type: 'template', text: fill(plain.body) };
  return { type: 'template', text: `[${sid}] ${Object.values(variables).join(' · ')}`.trim() };
}

function choicesOf(input: unknown, titleName: string, fill: (text: unknown) => string): ScreenChoice[] {
  if (!Array.isArray(input)) return [];
  return (input as unknown[]).filter(isFields).map((each) => ({
    id: fill(each.id ?? each[titleName]),
    title: fill(each[titleName]),
    ...(typeof each.description === 'string' ? { description: fill(each.description) } : {}),
  }));
}

function fillIn(text: string, variables: Fields): string {
  return text.replace(/\{\{(\w+)\}\}/g, (whole, name: string) => {
    const value = variables[name];
    return typeof value === 'string' ? value : whole;
  });
}
