/** Interactive messages of the Cloud API: buttons and lists in full, the rarer kinds by their required parts. Pure. */
import { type Fields, isFields } from '../world/read.ts';
import type { ScreenChoice } from '../world/screen.ts';
import type { GraphRefusal } from './error-table.ts';
import { type Checked, isRefusal, missing, tooLong, wrong } from './refusal.ts';

const BUTTON_LIMIT = 3;
const BUTTON_TITLE_LIMIT = 20;
const BUTTON_ID_LIMIT = 256;
const BUTTON_BODY_LIMIT = 1_024;
const LIST_BODY_LIMIT = 4_096;
const LIST_SECTIONS_LIMIT = 10;
const LIST_ROWS_LIMIT = 10;
const ROW_TITLE_LIMIT = 24;
const ROW_DESCRIPTION_LIMIT = 72;
const ROW_ID_LIMIT = 200;
const FOOTER_LIMIT = 60;
const HEADER_LIMIT = 60;

/** Kinds that need a body and an action and get no closer look. */
const otherKinds = new Set([
  'cta_url',
  'flow',
  'location_request_message',
  'catalog_message',
  'product',
  'product_list',
  'carousel',
  'address_message',
  'call_permission_request',
  'voice_call',
]);
const kindsWithoutBody = new Set(['product']);

export function checkInteractive(part: unknown): Checked {
  if (!isFields(part)) return missing('interactive');
  const kind = part.type;
  if (typeof kind !== 'string') return missing("interactive['type']");
  const action = part.action;
  if (!isFields(action)) return missing("interactive['action']");
  const frame = checkFrame(part, kind);
  if (isRefusal(frame)) return frame;
  if (kind === 'button') return checkButtons(action, frame);
  if (kind === 'list') return checkList(action, frame);
  if (!otherKinds.has(kind)) return wrong("interactive['type']");
  return { screen: { type: kind, ...frame } };
}

interface Frame {
  readonly text: string;
  readonly footer?: string;
}

function checkFrame(part: Fields, kind: string): Frame | GraphRefusal {
  const body = isFields(part.body) ? part.body.text : undefined;
  if (!kindsWithoutBody.has(kind) && (typeof body !== 'string' || body === ''))
    return missing("interactive['body']['text']");
  const text = typeof body === 'string' ? body : '';
  const limit = kind === 'list' ? LIST_BODY_LIMIT : BUTTON_BODY_LIMIT;
  if (text.length > limit) return tooLong("interactive['body']['text']", limit);
  const footer = isFields(part.footer) ? part.footer.text : undefined;
  if (typeof footer === 'string' && footer.length > FOOTER_LIMIT)
    return tooLong("interactive['footer']['text']", FOOTER_LIMIT);
  const header = isFields(part.header) ? part.header.text : undefined;
  if (typeof header === 'string' && header.length > HEADER_LIMIT)
    return tooLong("interactive['header']['text']", HEADER_LIMIT);
  return { text, ...(typeof footer === 'string' ? { footer } : {}) };
}

function checkButtons(action: Fields, frame: Frame): Checked {
  const list = action.buttons;
  if (!Array.isArray(list) || list.length === 0) return missing("interactive['action']['buttons']");
  if (list.length > BUTTON_LIMIT)
    return wrong("interactive['action']['buttons']", `may have at most ${BUTTON_LIMIT} entries`);
  const buttons: ScreenChoice[] = [];
  for (const each of list as unknown[]) {
    const button = checkButton(each);
    if (isRefusal(button)) return button;
    buttons.push(button);
  }
  if (hasRepeats(buttons.map((button) => button.id))) return wrong('button reply id', 'must be unique');
  if (hasRepeats(buttons.map((button) => button.title))) return wrong('button reply title', 'must be unique');
  return { screen: { type: 'buttons', ...frame, buttons } };
}

function checkButton(input: unknown): ScreenChoice | GraphRefusal {
  const reply = isFields(input) && input.type === 'reply' ? input.reply : undefined;
  if (!isFields(reply)) return wrong("interactive['action']['buttons'][0]", 'must be of type reply');
  const { id, title } = reply;
  if (typeof id !== 'string' || id === '') return missing("button['reply']['id']");
  if (typeof title !== 'string' || title === '') return missing("button['reply']['title']");
  if (id.length > BUTTON_ID_LIMIT) return tooLong("button['reply']['id']", BUTTON_ID_LIMIT);
  if (title.length > BUTTON_TITLE_LIMIT) return tooLong("button['reply']['title']", BUTTON_TITLE_LIMIT);
  return { id, title };
}

function checkList(action: Fields, frame: Frame): Checked {
  const { button, sections } = action;
  if (typeof button !== 'string' || button === '') return missing("interactive['action']['button']");
  if (button.length > BUTTON_TITLE_LIMIT) return tooLong("interactive['action']['button']", BUTTON_TITLE_LIMIT);
  if (!Array.isArray(sections) || sections.length === 0) return missing("interactive['action']['sections']");
  if (sections.length > LIST_SECTIONS_LIMIT)
    return wrong('sections', `may have at most ${LIST_SECTIONS_LIMIT} entries`);
  const read: { title: string; rows: ScreenChoice[] }[] = [];
  for (const each of sections as unknown[]) {
    const section = checkSection(each, sections.length > 1);
    if (isRefusal(section)) return section;
    read.push(section);
  }
  const rows = read.flatMap((section) => section.rows);
  if (rows.length > LIST_ROWS_LIMIT)
    return wrong('rows', `may have at most ${LIST_ROWS_LIMIT} entries in all sections`);
  if (hasRepeats(rows.map((row) => row.id))) return wrong('row id', 'must be unique');
  return { screen: { type: 'list', ...frame, list: { button, sections: read } } };
}

function checkSection(input: unknown, needsTitle: boolean): { title: string; rows: ScreenChoice[] } | GraphRefusal {
  if (!isFields(input)) return wrong('section');
  const title = input.title;
  if (needsTitle && (typeof title !== 'string' || title === '')) return missing("section['title']");
  if (typeof title === 'string' && title.length > ROW_TITLE_LIMIT) return tooLong("section['title']", ROW_TITLE_LIMIT);
  const list = input.rows;
  if (!Array.isArray(list) || list.length === 0) return missing("section['rows']");
  const rows: ScreenChoice[] = [];
  for (const each of list as unknown[]) {
    const row = checkRow(each);
    if (isRefusal(row)) return row;
    rows.push(row);
  }
  return { title: typeof title === 'string' ? title : '', rows };
}

function checkRow(input: unknown): ScreenChoice | GraphRefusal {
  if (!isFields(input)) return wrong('row');
  const { id, title, description } = input;
  if (typeof id !== 'string' || id === '') return missing("row['id']");
  if (typeof title !== 'string' || title === '') return missing("row['title']");
  if (id.length > ROW_ID_LIMIT) return tooLong("row['id']", ROW_ID_LIMIT);
  if (title.length > ROW_TITLE_LIMIT) return tooLong("row['title']", ROW_TITLE_LIMIT);
  if (description === undefined) return { id, title };
  if (typeof description !== 'string') return wrong("row['description']");
  if (description.length > ROW_DESCRIPTION_LIMIT) return tooLong("row['description']", ROW_DESCRIPTION_LIMIT);
  return { id, title, description };
}

function hasRepeats(values: readonly string[]): boolean {
  return new Set(values).size < values.length;
}
