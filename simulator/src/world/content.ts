/**
 * What a customer can do, in one vocabulary for all providers; each provider's folder writes it in that provider's
 * form, or says that the provider has no such thing. This is the simulator's own language: the product never sees it.
 */
import { type Fields, fieldsOf, listOf, oneOf, optionalFlag, optionalNumber, optionalText, textOf } from './read.ts';

export const mediaTypes = ['image', 'video', 'audio', 'document', 'sticker'] as const;
export type MediaKind = (typeof mediaTypes)[number];

export interface MediaSpec {
  readonly url?: string;
  readonly base64?: string;
  readonly mimeType?: string;
  readonly fileName?: string;
}

export interface ReplyChoice {
  readonly id: string;
  readonly title: string;
  readonly description?: string;
}

export interface OrderLine {
  readonly productId: string;
  readonly quantity: number;
  readonly price: number;
  readonly currency: string;
}

export interface Card {
  readonly name: string;
  readonly phones: readonly string[];
}

export type InboundContent =
  | { readonly type: 'text'; readonly text: string }
  | { readonly type: MediaKind; readonly media: MediaSpec; readonly caption?: string; readonly isVoice?: boolean }
  | {
      readonly type: 'location';
      readonly latitude: number;
      readonly longitude: number;
      readonly name?: string;
      readonly address?: string;
    }
  | { readonly type: 'contacts'; readonly contacts: readonly Card[] }
  | { readonly type: 'reaction'; readonly targetId: string; readonly emoji: string | null }
  | { readonly type: 'button_reply'; readonly choice: ReplyChoice; readonly isTemplateButton: boolean }
  | { readonly type: 'list_reply'; readonly choice: ReplyChoice }
  | { readonly type: 'flow_reply'; readonly name: string; readonly answer: unknown }
  | { readonly type: 'order'; readonly catalogId: string; readonly text: string; readonly lines: readonly OrderLine[] }
  | { readonly type: 'edit'; readonly targetId: string; readonly text: string }
  | { readonly type: 'delete'; readonly targetId: string }
  | { readonly type: 'story_reply'; readonly text: string; readonly storyId: string; readonly storyUrl: string }
  | { readonly type: 'story_mention'; readonly media: MediaSpec }
  | {
      readonly type: 'comment';
      readonly text: string;
      readonly mediaId: string;
      readonly parentId?: string;
      readonly isLive: boolean;
    }
  | { readonly type: 'mention'; readonly mediaId: string; readonly commentId?: string }
  | { readonly type: 'share'; readonly media: MediaSpec; readonly title?: string }
  | { readonly type: 'referral'; readonly ref: string }
  | { readonly type: 'number_change'; readonly newNumber: string }
  | { readonly type: 'unsupported' }
  /** The business itself wrote, on its own phone or app: comes back as an echo. */
  | { readonly type: 'echo'; readonly text: string };

export type InboundType = InboundContent['type'];

type Reader = (fields: Fields) => InboundContent;

const readers: Readonly<Record<Exclude<InboundType, MediaKind>, Reader>> = {
  text: (fields) => ({ type: 'text', text: textOf(fields, 'text') }),
  location: readLocation,
  contacts: (fields) => ({ type: 'contacts', contacts: listOf(fields.contacts, 'contacts').map(readCard) }),
  reaction: (fields) => ({
    type: 'reaction',
    targetId: textOf(fields, 'targetId'),
    emoji: optionalText(fields, 'emoji') || null,
  }),
  button_reply: (fields) => ({
    type: 'button_reply',
    choice: readChoice(fields),
    isTemplateButton: optionalFlag(fields, 'isTemplateButton') ?? false,
  }),
  list_reply: (fields) => ({ type: 'list_reply', choice: readChoice(fields) }),
  flow_reply: (fields) => ({
    type: 'flow_reply',
    name: optionalText(fields, 'name') ?? 'flow',
    answer: fields.answer ?? {},
  }),
  order: (fields) => ({
    type: 'order',
    catalogId: optionalText(fields, 'catalogId') ?? '1000000000001',
    text: optionalText(fields, 'text') ?? '',
    lines: listOf(fields.items, 'items').map(readLine),
  }),
  edit: (fields) => ({ type: 'edit', targetId: textOf(fields, 'targetId'), text: textOf(fields, 'text') }),
  delete: (fields) => ({ type: 'delete', targetId: textOf(fields, 'targetId') }),
  story_reply: (fields) => ({
    type: 'story_reply',
    text: textOf(fields, 'text'),
    storyId: optionalText(fields, 'storyId') ?? '17990000000000001',
    storyUrl: optionalText(fields, 'storyUrl') ?? 'https://lookaside.example/ig_messaging_cdn/?asset_id=1&signature=x',
  }),
  story_mention: (fields) => ({ type: 'story_mention', media: readMediaSpec(fields) }),
  comment: readComment,
  mention: (fields) => ({
    type: 'mention',
    mediaId: optionalText(fields, 'mediaId') ?? '17960000000000001',
    ...optional('commentId', optionalText(fields, 'commentId')),
  }),
  share: (fields) => ({
    type: 'share',
    media: readMediaSpec(fields),
    ...optional('title', optionalText(fields, 'title')),
  }),
  referral: (fields) => ({ type: 'referral', ref: textOf(fields, 'ref') }),
  number_change: (fields) => ({ type: 'number_change', newNumber: textOf(fields, 'newNumber') }),
  unsupported: () => ({ type: 'unsupported' }),
  echo: (fields) => ({ type: 'echo', text: textOf(fields, 'text') }),
};

export const inboundTypes: readonly InboundType[] = [
  ...mediaTypes,
  ...(Object.keys(readers) as Exclude<InboundType, MediaKind>[]),
];

export function parseInboundContent(input: unknown): InboundContent {
  const fields = fieldsOf(input, 'content');
  const type = oneOf(fields.type, inboundTypes, 'content.type');
  return isMediaKind(type) ? readMedia(type, fields) : readers[type](fields);
}

export function isMediaKind(type: string): type is MediaKind {
  return (mediaTypes as readonly string[]).includes(type);
}

/** `{name: value}`, or nothing where there is no value: absent keys stay absent on the wire. */
export function optional<N extends string, V>(name: N, value: V | undefined): { [K in N]?: V } {
  return value === undefined ? {} : ({ [name]: value } as { [K in N]?: V });
}

function readMedia(type: MediaKind, fields: Fields): InboundContent {
  return {
    type,
    media: readMediaSpec(fields),
    ...optional('caption', optionalText(fields, 'caption')),
    ...optional('isVoice', optionalFlag(fields, 'isVoice')),
  };
}

function readMediaSpec(fields: Fields): MediaSpec {
  return {
    ...optional('url', optionalText(fields, 'url')),
    ...optional('base64', optionalText(fields, 'base64')),
    ...optional('mimeType', optionalText(fields, 'mimeType')),
    ...optional('fileName', optionalText(fields, 'fileName')),
  };
}

function readLocation(fields: Fields): InboundContent {
  return {
    type: 'location',
    latitude: optionalNumber(fields, 'latitude') ?? 0,
    longitude: optionalNumber(fields, 'longitude') ?? 0,
    ...optional('name', optionalText(fields, 'name')),
    ...optional('address', optionalText(fields, 'address')),
  };
}

function readComment(fields: Fields): InboundContent {
  return {
    type: 'comment',
    text: textOf(fields, 'text'),
    mediaId: optionalText(fields, 'mediaId') ?? '17960000000000001',
    isLive: optionalFlag(fields, 'isLive') ?? false,
    ...optional('parentId', optionalText(fields, 'parentId')),
  };
}

function readChoice(fields: Fields): ReplyChoice {
  return {
    id: textOf(fields, 'id'),
    title: textOf(fields, 'title'),
    ...optional('description', optionalText(fields, 'description')),
  };
}

function readCard(input: unknown): Card {
  const fields = fieldsOf(input, 'contacts[]');
  return {
    name: textOf(fields, 'name'),
    phones: listOf(fields.phones ?? [], 'phones').map((phone) => String(phone)),
  };
}

function readLine(input: unknown): OrderLine {
  const fields = fieldsOf(input, 'items[]');
  return {
    productId: textOf(fields, 'productId'),
    quantity: optionalNumber(fields, 'quantity') ?? 1,
    price: optionalNumber(fields, 'price') ?? 0,
    currency: optionalText(fields, 'currency') ?? 'USD',
  };
}
