// Buttons that make the provider misbehave once, for the number at hand.
import { byId, call, element } from './api.js';

const failures = {
  meta: ['131047', '131026', '130429', '131056', '190', '131000'],
  instagram: ['10', '190', '613', '2'],
  twilio: ['63016', '21610', '20429', '30008'],
  evolution: ['not_on_whatsapp', 'connection_closed', 'internal'],
  webjs: ['not_on_whatsapp', 'not_connected', 'restricted', 'quota'],
};

const DELAY_MS = 5_000;

// `at` gives {number, repeatLast}: the number at hand, and a way to send the last message again.
export function createMischief(toggle, at, notify) {
  const panel = byId('mischief');
  const armed = element('p', { class: 'armed', role: 'status' });
  const code = element('select', { 'aria-label': 'How the next send fails' });

  const arm = async (rule, words) => {
    const { provider, number } = at.number();
    await guarded(notify, async () => {
      await call('PUT', '/control/faults', { append: true, rules: [{ provider, number, times: 1, ...rule }] });
      armed.textContent = words;
    });
  };
  const button = (label, title, act) => {
    const node = element('button', { type: 'button', class: 'quiet', title }, label);
    node.addEventListener('click', act);
    return node;
  };

  panel.append(
    button('Send last again', 'The provider delivers your last message a second time', async () => {
      await guarded(notify, at.repeatLast);
      armed.textContent = 'Your last message was delivered a second time.';
    }),
    button('Swap next two', 'Your next message is held until the one after it was delivered', () =>
      arm(
        { kind: 'reorder', operation: 'message', milliseconds: 60_000 },
        'Your next message waits for the one after it.',
      ),
    ),
    button('Delay next', 'Your next message is delivered five seconds late', () =>
      arm(
        { kind: 'delay', operation: 'message', milliseconds: DELAY_MS },
        'Your next message comes five seconds late.',
      ),
    ),
    element('span', {}, code),
    button('Fail next answer', 'The business’s next message is refused with this code', () =>
      arm(
        { kind: 'error', operation: 'send', code: code.value },
        `The business’s next message is refused: ${code.value}.`,
      ),
    ),
    button(
      'Drop next answer',
      'The business’s next message is taken, but the connection breaks before the answer',
      () =>
        arm(
          { kind: 'reset', operation: 'send', when: 'after' },
          'The next answer is taken, then the connection breaks.',
        ),
    ),
    button('Behave', 'Take all mischief back', async () => {
      await guarded(notify, () => call('DELETE', '/control/faults'));
      armed.textContent = 'All well.';
    }),
    armed,
  );

  toggle.addEventListener('click', () => {
    panel.hidden = !panel.hidden;
    toggle.setAttribute('aria-expanded', String(!panel.hidden));
  });

  return {
    choose: (provider) => {
      code.replaceChildren(...(failures[provider] ?? []).map((value) => element('option', { value }, value)));
      armed.textContent = '';
    },
  };
}

export async function guarded(notify, act) {
  try {
    await act();
    notify('');
  } catch (error) {
    notify(error instanceof Error ? error.message : String(error));
  }
}
