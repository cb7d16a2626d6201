// The drawer that shows what the simulator took and what it posted.
import { byId, call, element } from './api.js';

const SHOWN = 200;
const kindWords = {
  send: 'took',
  refusal: 'refused',
  repeat: 'took again',
  read: 'marked read',
  call: 'call',
  webhook: 'posted',
  lost: 'gave up',
};

export function createLedger(toggle) {
  const drawer = byId('ledger');
  const list = element('ol', { 'aria-live': 'off' });
  const close = element('button', { type: 'button', class: 'quiet' }, 'Close');
  const clear = element('button', { type: 'button', class: 'quiet' }, 'Empty');
  const actions = element('div', { class: 'dialog-actions' }, clear, close);
  drawer.append(element('header', {}, element('h2', {}, 'Ledger'), actions), list);

  const show = async (isShown) => {
    drawer.hidden = !isShown;
    toggle.setAttribute('aria-expanded', String(isShown));
    if (isShown) await load();
    else toggle.focus();
  };
  const load = async () => {
    const { ledgerEntries } = await call('GET', '/control/stats');
    const { entries } = await call('GET', '/control/ledger?limit=10000');
    list.replaceChildren(...entries.slice(-SHOWN).reverse().map(entryRow));
    if (ledgerEntries === 0) list.append(element('li', {}, 'Nothing yet.'));
  };
  toggle.addEventListener('click', () => show(drawer.hidden));
  close.addEventListener('click', () => show(false));
  drawer.addEventListener('keydown', (event) => {
    if (event.key === 'Escape') show(false);
  });
  clear.addEventListener('click', async () => {
    await call('DELETE', '/control/ledger');
    await load();
  });

  return {
    add: (entry) => {
      if (drawer.hidden) return;
      list.prepend(entryRow(entry));
      while (list.childElementCount > SHOWN) list.lastElementChild.remove();
    },
  };
}

function entryRow(entry) {
  const time = element('time', { datetime: entry.at }, entry.at.slice(11, 23));
  const isBad = entry.kind === 'lost' || entry.kind === 'refusal' || entry.status === null || entry.status >= 400;
  const words = `${kindWords[entry.kind] ?? entry.kind} ${entry.what ?? ''}${entry.text ? ` “${entry.text.slice(0, 60)}”` : ''}`;
  const status = [entry.status ?? '–', entry.code, entry.fault].filter((part) => part !== undefined).join(' ');
  const summary = element(
    'summary',
    {},
    time,
    element('span', { dir: 'auto' }, words),
    element('span', { class: `status${isBad ? ' is-bad' : ''}` }, status),
  );
  const details = element('details', {}, summary);
  details.addEventListener('toggle', () => fill(details, entry), { once: true });
  return element('li', {}, details);
}

// What a row holds is fetched when it is opened: the request's own text is not sent along live.
async function fill(details, entry) {
  const { entries } = await call('GET', `/control/ledger?since=${entry.seq - 1}&limit=1`);
  const { request, ...facts } = entries[0] ?? entry;
  details.append(element('pre', { tabindex: '0' }, JSON.stringify(facts, null, 1)));
  if (request) details.append(element('pre', { tabindex: '0' }, request));
}
