// The phone: pick a business number, be a customer, chat. State comes from the simulator and is kept current by events.
import { byId, call, element, listen } from './api.js';
import { addReaction, bubble, updateTick } from './bubble.js';
import { addCustomer, customersFor, keyOf, kindsFor, senderOf, strangerOf } from './customers.js';
import { createLedger } from './ledger.js';
import { createMischief, guarded } from './mischief.js';

const TYPING_MS = 4_000;

const phrases = {
  English: ['hi', 'menu', 'catalogue', 'talk to a person', 'stop'],
  Español: ['hola', 'menú', 'catálogo', 'hablar con una persona', 'baja'],
  Português: ['oi', 'menu', 'catálogo', 'falar com um atendente', 'sair'],
  Français: ['bonjour', 'menu', 'catalogue', 'parler à une personne', 'stop'],
  العربية: ['مرحبا', 'القائمة', 'المنتجات', 'أريد التحدث مع موظف', 'إلغاء'],
  עברית: ['שלום', 'תפריט', 'קטלוג', 'לדבר עם נציג', 'הסר'],
};

const attachments = {
  Photo: { type: 'image', caption: 'Like this one?' },
  'Voice note': { type: 'audio', isVoice: true },
  Document: { type: 'document', fileName: 'list.pdf' },
  Location: { type: 'location', latitude: 40.4168, longitude: -3.7038, name: 'Puerta del Sol' },
  Contact: { type: 'contacts', contacts: [{ name: 'Vera Cruz', phones: ['+34600999888'] }] },
  'Heart on the last answer': { type: 'reaction', emoji: '❤️' },
  'Delete my last message': { type: 'delete' },
  Unsupported: { type: 'unsupported' },
};

const state = { numbers: [], numberKey: null, customerKey: null, unread: new Map() };

const ledger = createLedger(byId('open-ledger'));
const mischief = createMischief(byId('open-mischief'), { number, repeatLast }, notify);

function number() {
  return state.numbers.find((each) => each.key === state.numberKey);
}

function customers() {
  const current = number();
  if (!current) return [];
  const known = customersFor(current.provider);
  const keys = new Set(known.map(keyOf));
  const strangers = current.threads.filter((thread) => !keys.has(thread.customer.key));
  return [...known, ...strangers.slice(-20).map((thread) => strangerOf(thread.customer, current.provider))];
}

function customer() {
  return customers().find((each) => keyOf(each) === state.customerKey);
}

function threadOf(numberKey, customerKey) {
  const holder = state.numbers.find((each) => each.key === numberKey);
  return holder?.threads.find((thread) => thread.customer.key === customerKey);
}

function notify(words) {
  byId('notice').textContent = words;
}

// Loading

async function load() {
  const { numbers } = await call('GET', '/phone/state');
  state.numbers = numbers;
  if (!number()) state.numberKey = numbers[0]?.key ?? null;
  if (!customer()) state.customerKey = customers()[0] ? keyOf(customers()[0]) : null;
  byId('empty').hidden = numbers.length > 0;
  drawNumbers();
  drawAll();
}

function drawNumbers() {
  const options = state.numbers.map((each) =>
    element('option', { value: each.key, selected: each.key === state.numberKey }, `${each.name} · ${each.provider}`),
  );
  byId('number').replaceChildren(...options);
}

function drawAll() {
  drawCustomers();
  drawHead();
  drawMessages();
  const current = number();
  if (current) mischief.choose(current.provider);
}

function drawCustomers() {
  byId('customers').replaceChildren(...customers().map(customerRow));
}

function customerRow(each) {
  const key = keyOf(each);
  const unread = state.unread.get(`${state.numberKey} ${key}`) ?? 0;
  const last = threadOf(state.numberKey, key)?.messages.at(-1);
  const names = element('span', {}, element('strong', { dir: 'auto' }, each.name));
  names.append(element('small', { dir: 'auto' }, last?.content.text ?? each.value));
  const button = element(
    'button',
    { type: 'button', class: 'customer', 'aria-pressed': String(key === state.customerKey) },
    element('span', { class: 'avatar', 'data-tone': toneOf(each.name), 'aria-hidden': 'true' }, initialsOf(each.name)),
    names,
    unread > 0 ? element('span', { class: 'unread', 'aria-label': `${unread} new` }, String(unread)) : null,
  );
  button.addEventListener('click', () => choose(key));
  return element('li', {}, button);
}

function toneOf(name) {
  return [...name].reduce((sum, letter) => sum + letter.codePointAt(0), 0) % 4;
}

function initialsOf(name) {
  return [...name.replace(/[^\p{L}\p{N}]/gu, '')].slice(0, 1).join('').toUpperCase() || '?';
}

function drawHead() {
  const current = number();
  const who = customer();
  byId('chat-head').hidden = !current;
  byId('composer').hidden = !current;
  if (!current || !who) return;
  byId('business-name').textContent = current.name;
  byId('avatar').textContent = initialsOf(current.name);
  byId('avatar').dataset.tone = toneOf(current.name);
  const connection = current.connection === 'open' ? '' : ` · ${current.connection}`;
  byId('business-detail').textContent = `${current.number} · ${current.provider} · you are ${who.name}${connection}`;
  byId('offline').checked = current.offline.includes(state.customerKey);
  document.title = `${current.name} · Phone`;
}

function drawMessages() {
  const list = byId('messages');
  list.replaceChildren();
  for (const message of threadOf(state.numberKey, state.customerKey)?.messages ?? []) place(message);
  scrollToEnd();
}

function scrollToEnd() {
  byId('scroller').scrollTop = byId('scroller').scrollHeight;
}

// A reaction sits on its message; everything else is a bubble of its own.
function place(message, isNew = false) {
  const list = byId('messages');
  if (message.content.type === 'reaction') {
    const target = rowOf(message.content.targetId);
    if (target) addReaction(target, message.content.text);
    return;
  }
  const { scrollHeight, scrollTop, clientHeight } = byId('scroller');
  const isNearEnd = scrollHeight - scrollTop - clientHeight < 160;
  const row = bubble(message, { choose: tap, openList });
  row.classList.toggle('is-new', isNew);
  list.append(row);
  if (isNearEnd || message.direction === 'in') scrollToEnd();
}

function rowOf(id) {
  return [...byId('messages').children].findLast((row) => row.dataset.id === id);
}

function choose(key) {
  state.customerKey = key;
  state.unread.delete(`${state.numberKey} ${key}`);
  byId('app').dataset.view = 'chat';
  drawAll();
  byId('composer-text').focus();
}

// Sending

async function send(content, extra = {}) {
  const current = number();
  const who = customer();
  if (!current || !who) return;
  await guarded(notify, async () => {
    const body = { provider: current.provider, number: current.number, ...senderOf(who), content, ...extra };
    const result = await call('POST', '/control/inbound', body);
    if (result.outcome === 'no_webhook') notify('This number has no webhook: nobody hears you.');
    else if (result.outcome === 'posted' && result.status !== 200) {
      notify(`The webhook answered ${result.status ?? result.error}. The provider may try again.`);
    }
  });
}

function lastOf(direction) {
  const messages = threadOf(state.numberKey, state.customerKey)?.messages ?? [];
  return messages.findLast((message) => message.direction === direction && message.content.type !== 'reaction');
}

// The same id, text and time once more, as a provider that did not hear our answer delivers it.
async function repeatLast() {
  const last = lastOf('in');
  if (!last?.content.text) throw new Error('Write something first.');
  const current = number();
  const content = { type: 'text', text: last.content.text };
  const body = { provider: current.provider, number: current.number, ...senderOf(customer()), content };
  await call('POST', '/control/inbound', { ...body, id: last.id, timestampMs: last.atMs });
}

function tap(message, choice, kind) {
  const isTemplateButton = kind === 'template' && number()?.provider !== 'instagram';
  send({ type: 'button_reply', id: choice.id, title: choice.title, isTemplateButton }, { replyTo: message.id });
}

function openList(message) {
  const dialog = byId('list-dialog');
  const { list } = message.content;
  byId('list-title').textContent = list.button;
  const parts = list.sections.flatMap((section) => [
    section.title ? element('h3', {}, section.title) : null,
    ...section.rows.map((row) => listRow(message, row, dialog)),
  ]);
  byId('list-rows').replaceChildren(...parts.filter(Boolean));
  dialog.showModal();
}

function listRow(message, row, dialog) {
  const button = element('button', { type: 'button', class: 'list-row', dir: 'auto' }, row.title);
  if (row.description) button.append(element('small', {}, row.description));
  button.addEventListener('click', () => {
    dialog.close();
    const { id, title, description } = row;
    send({ type: 'list_reply', id, title, description }, { replyTo: message.id });
  });
  return button;
}

function sendAttachment(name) {
  const content = { ...attachments[name] };
  if (content.type === 'reaction' || content.type === 'delete') {
    const target = lastOf(content.type === 'reaction' ? 'out' : 'in');
    if (!target) return notify('There is no message to do that to yet.');
    content.targetId = target.id;
  }
  return send(content);
}

// What happens live

function onMessage({ number: numberKey, customer: from, message }) {
  const holder = state.numbers.find((each) => each.key === numberKey);
  if (!holder) return;
  const thread = threadOf(numberKey, from.key) ?? { number: numberKey, customer: from, messages: [] };
  if (!holder.threads.includes(thread)) holder.threads.push(thread);
  thread.messages.push(message);
  const isHere = numberKey === state.numberKey && from.key === state.customerKey;
  if (isHere) {
    byId('typing').hidden = true;
    place(message, true);
  } else if (message.direction === 'out') {
    const key = `${numberKey} ${from.key}`;
    state.unread.set(key, (state.unread.get(key) ?? 0) + 1);
  }
  if (numberKey === state.numberKey) drawCustomers();
}

function onTick({ number: numberKey, customer: key, id, tick, note }) {
  const message = threadOf(numberKey, key)?.messages.findLast((each) => each.id === id);
  if (!message) return;
  message.tick = tick;
  if (note) message.note = note;
  if (numberKey !== state.numberKey || key !== state.customerKey) return;
  const row = rowOf(id);
  if (row) updateTick(row, message);
}

function onContent({ number: numberKey, customer: key, message }) {
  const known = threadOf(numberKey, key)?.messages.findLast((each) => each.id === message.id);
  if (known) known.content = message.content;
  if (numberKey === state.numberKey && key === state.customerKey) drawMessages();
}

let typingTimer;
function onTyping({ number: numberKey, customer: key }) {
  if (numberKey !== state.numberKey || key !== state.customerKey) return;
  byId('typing').hidden = false;
  clearTimeout(typingTimer);
  typingTimer = setTimeout(() => {
    byId('typing').hidden = true;
  }, TYPING_MS);
}

function setConnection(words, isLost) {
  byId('connection').textContent = words;
  byId('connection').classList.toggle('is-lost', isLost);
}

// Wiring

function wireComposer() {
  const text = byId('composer-text');
  byId('composer').addEventListener('submit', (event) => {
    event.preventDefault();
    const words = text.value.trim();
    if (!words) return;
    text.value = '';
    send({ type: 'text', text: words });
  });
  text.addEventListener('keydown', (event) => {
    if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    byId('composer').requestSubmit();
  });
  const attach = byId('attach');
  attach.append(element('option', { value: '' }, '+'));
  attach.append(...Object.keys(attachments).map((name) => element('option', { value: name }, name)));
  attach.addEventListener('change', () => {
    if (attach.value) sendAttachment(attach.value);
    attach.value = '';
  });
  const language = byId('language');
  language.append(...Object.keys(phrases).map((name) => element('option', { value: name }, name)));
  language.addEventListener('change', drawPhrases);
  drawPhrases();
}

function drawPhrases() {
  const chips = phrases[byId('language').value].map((words) => {
    const chip = element('button', { type: 'button', class: 'chip', dir: 'auto' }, words);
    chip.addEventListener('click', () => send({ type: 'text', text: words }));
    return chip;
  });
  byId('phrases').replaceChildren(...chips);
}

function wirePeople() {
  byId('number').addEventListener('change', (event) => {
    state.numberKey = event.target.value;
    if (!customer()) state.customerKey = customers()[0] ? keyOf(customers()[0]) : null;
    drawAll();
  });
  byId('back').addEventListener('click', () => {
    byId('app').dataset.view = 'people';
    byId('number').focus();
  });
  byId('offline').addEventListener('change', (event) => {
    const current = number();
    const isOffline = event.target.checked;
    guarded(notify, async () => {
      const { provider, number: name } = current;
      await call('POST', '/control/customers', { provider, number: name, from: state.customerKey, isOffline });
      current.offline = current.offline.filter((key) => key !== state.customerKey);
      if (isOffline) current.offline.push(state.customerKey);
    });
  });
  byId('list-close').addEventListener('click', () => byId('list-dialog').close());
  wireCustomerDialog();
}

function wireCustomerDialog() {
  const dialog = byId('customer-dialog');
  const form = byId('customer-form');
  byId('add-customer').addEventListener('click', () => {
    const kinds = kindsFor(number()?.provider ?? 'meta');
    form.elements.kind.replaceChildren(...kinds.map(([value, words]) => element('option', { value }, words)));
    form.reset();
    dialog.showModal();
  });
  byId('customer-cancel').addEventListener('click', () => dialog.close());
  form.addEventListener('submit', () => {
    const added = { name: form.elements.name.value, kind: form.elements.kind.value, value: form.elements.value.value };
    if (!keyOf(added)) return;
    addCustomer(added);
    choose(keyOf(added));
  });
}

wireComposer();
wirePeople();
listen({
  open: () => {
    setConnection('Connected', false);
    load();
  },
  error: () => setConnection('Connection lost, trying again…', true),
  numbers: load,
  message: onMessage,
  tick: onTick,
  content: onContent,
  typing: onTyping,
  ledger: ledger.add,
});
