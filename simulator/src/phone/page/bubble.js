// One message as it looks on the phone. Everything that came from outside goes in as text, never as markup.
import { element } from './api.js';

const tickWords = {
  waiting: ['🕓', 'on its way'],
  sent: ['✓', 'sent'],
  delivered: ['✓✓', 'delivered'],
  read: ['✓✓', 'read'],
  failed: ['!', 'failed'],
};

const icons = { video: '🎞', audio: '🎤', document: '📄', sticker: '🏷', contacts: '👤', location: '📍', order: '🛒' };

// `on` has choose(message, choice, kind) and openList(message).
export function bubble(message, on) {
  const isMine = message.direction === 'in';
  const row = element('li', { class: `row${isMine ? ' mine' : ''}`, 'data-id': message.id });
  const box = element('div', { class: 'bubble' });
  box.append(...bodyOf(message.content), metaOf(message));
  row.append(box);
  const choices = choicesOf(message, on);
  if (choices) row.append(choices);
  row.classList.toggle('is-waiting', message.tick === 'waiting');
  return row;
}

export function updateTick(row, message) {
  row.querySelector('.meta')?.replaceWith(metaOf(message));
  row.classList.toggle('is-waiting', message.tick === 'waiting');
}

export function addReaction(row, emoji) {
  row.querySelector('.reaction')?.remove();
  if (emoji) row.append(element('span', { class: 'reaction', 'aria-label': `Reaction ${emoji}` }, emoji));
}

function bodyOf(content) {
  if (content.type === 'delete') return [element('p', { class: 'gone' }, 'This message was deleted')];
  if (content.type === 'unsupported')
    return [element('p', { class: 'gone' }, 'A kind of message that is not supported')];
  const parts = [];
  const isPicture = ['image', 'sticker', 'story_mention'].includes(content.type);
  if (isPicture && content.mediaUrl) {
    parts.push(element('img', { src: content.mediaUrl, alt: content.text ?? 'Picture', loading: 'lazy' }));
  } else if (isPicture) {
    parts.push(element('p', { class: 'file' }, `🖼 ${content.type}`));
  } else if (icons[content.type]) {
    parts.push(element('p', { class: 'file' }, `${icons[content.type]} ${content.fileName ?? content.type}`));
  }
  if (content.text) parts.push(paragraph(content.text));
  if (content.footer) parts.push(element('p', { class: 'footer' }, content.footer));
  if (parts.length === 0) parts.push(element('p', { class: 'gone' }, content.type.replaceAll('_', ' ')));
  return parts;
}

// WhatsApp's own marks: *bold*, _italic_, ~struck~. Built from nodes, so nothing in the text can become markup.
function paragraph(text) {
  const node = element('p', { dir: 'auto' });
  const marks = { '*': 'strong', _: 'em', '~': 's' };
  let last = 0;
  for (const match of text.matchAll(/(?<![\p{L}\p{N}])([*_~])(?=\S)([^\n]*?\S)\1(?![\p{L}\p{N}])/gu)) {
    node.append(text.slice(last, match.index), element(marks[match[1]], {}, match[2]));
    last = match.index + match[0].length;
  }
  node.append(text.slice(last));
  return node;
}

function metaOf(message) {
  const time = new Date(message.atMs).toLocaleTimeString([], { hour: '2-digit', minute: '2-digit' });
  const [sign, word] = tickWords[message.tick] ?? tickWords.waiting;
  const words = message.note ? `${word}: ${message.note}` : word;
  const tick = element('span', { class: `tick is-${message.tick}`, title: words }, sign);
  tick.append(element('span', { class: 'visually-hidden' }, words));
  if (message.tick === 'failed') tick.append(` ${words}`);
  return element('div', { class: 'meta' }, time, tick);
}

function choicesOf(message, on) {
  const { buttons, list, type } = message.content;
  if (message.direction === 'in') return null;
  if (list) {
    const open = element('button', { type: 'button', class: 'choice', 'aria-haspopup': 'dialog' }, `☰ ${list.button}`);
    open.addEventListener('click', () => on.openList(message));
    return element('div', { class: 'choices' }, open);
  }
  if (!buttons?.length) return null;
  const made = buttons.map((choice) => {
    const button = element('button', { type: 'button', class: 'choice' }, choice.title);
    button.addEventListener('click', () => on.choose(message, choice, type === 'template' ? 'template' : 'button'));
    return button;
  });
  return element('div', { class: 'choices', role: 'group', 'aria-label': 'Answers' }, ...made);
}
